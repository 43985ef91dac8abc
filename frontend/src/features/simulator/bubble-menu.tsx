import { Menu as Base } from '@base-ui/react/menu'
import { useLingui } from '@lingui/react/macro'
import { CornerUpLeft, EllipsisVertical, Trash2 } from 'lucide-react'
import type { PhoneMessage } from '@/api'
import { Menu, MenuItem, MenuSeparator } from '@/ui/menu'

const EMOJIS = ['👍', '❤️', '😂', '😮', '😢', '🙏'] as const

type BubbleMenuProps = {
  message: PhoneMessage
  onReply: () => void
  onReact: (emoji: string) => void
  onDelete: () => void
}

/** What a person does with a message: quote it, react to it, delete it for everyone. */
export function BubbleMenu({ message, onReply, onReact, onDelete }: BubbleMenuProps) {
  const { t } = useLingui()
  return (
    <Menu
      trigger={
        <button
          type="button"
          aria-label={t`Opciones del mensaje`}
          className="grid size-6 shrink-0 place-items-center self-center rounded-full text-muted opacity-0 hover:bg-sunken focus-visible:opacity-100 group-hover/message:opacity-100 data-popup-open:opacity-100 pointer-coarse:size-9 pointer-coarse:opacity-60"
        >
          <EllipsisVertical aria-hidden className="size-4" />
        </button>
      }
    >
      <div className="flex justify-between gap-0.5 p-1">
        {EMOJIS.map((emoji) => (
          <Base.Item
            key={emoji}
            aria-label={message.reaction === emoji ? t`Quitar ${emoji}` : t`Reaccionar con ${emoji}`}
            onClick={() => onReact(message.reaction === emoji ? '' : emoji)}
            className="grid size-8 cursor-default place-items-center rounded-full text-lg outline-none data-highlighted:bg-accent-soft max-md:size-11"
          >
            {emoji}
          </Base.Item>
        ))}
      </div>
      <MenuSeparator />
      <MenuItem icon={<CornerUpLeft aria-hidden />} onSelect={onReply}>{t`Responder`}</MenuItem>
      {message.mine && (
        <MenuItem icon={<Trash2 aria-hidden />} danger onSelect={onDelete}>
          {t`Eliminar para todos`}
        </MenuItem>
      )}
    </Menu>
  )
}
