import { useLingui } from '@lingui/react/macro'
import { CornerUpLeft, LockKeyhole, X } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import type { Conversation, Message } from '@/api'
import { cn } from '@/lib/cn'
import { useMe } from '@/session/session'
import { Button } from '@/ui/button'
import { useShortcut } from '@/ui/keys'
import { useDraft } from './draft'
import { Editor, type Mode } from './editor'
import { TemplatePicker } from './template-picker'
import { useWindowOpen } from './window-pill'
import { kindName } from './words'

type ComposerProps = {
  conversation: Conversation
  quoted: Message | null
  onQuoteEnd: () => void
  onTyping: () => void
}

/** Where one writes: to the customer, or a note to colleagues. What is written stays until it is sent. */
export function Composer({ conversation, quoted, onQuoteEnd, onTyping }: ComposerProps) {
  const { t } = useLingui()
  const isOpen = useWindowOpen(conversation)
  const [mode, setMode] = useState<Mode>('reply')
  const field = useRef<HTMLTextAreaElement>(null)
  const [text, setText] = useDraft(conversation.id)
  const group = t`Conversación`
  const focusAs = (next: Mode) => {
    setMode(next)
    requestAnimationFrame(() => field.current?.focus())
  }
  useShortcut({ keys: 'r', label: t`Responder`, group, run: () => focusAs('reply') })
  useShortcut({ keys: 'n', label: t`Escribir una nota`, group, run: () => focusAs('note') })
  useEffect(() => {
    if (quoted) field.current?.focus()
  }, [quoted])
  const isNote = mode === 'note'
  return (
    <div
      className={cn(
        'shrink-0 border-line border-t px-3 pt-2 pb-3 md:px-4',
        isNote ? 'bg-note' : 'bg-surface',
      )}
    >
      <div className="mb-1.5 flex items-center gap-1">
        <ModeButton active={!isNote} onClick={() => setMode('reply')}>{t`Responder`}</ModeButton>
        <ModeButton active={isNote} onClick={() => setMode('note')}>
          <LockKeyhole aria-hidden className="size-3.5" />
          {t`Nota`}
        </ModeButton>
        <Hint conversation={conversation} mode={mode} isOpen={isOpen} />
      </div>
      {quoted && !isNote && <Quoted message={quoted} onEnd={onQuoteEnd} />}
      {isNote || isOpen ? (
        <Editor
          key={conversation.id}
          conversation={conversation}
          mode={mode}
          field={field}
          text={text}
          setText={setText}
          quoted={isNote ? null : quoted}
          onSent={onQuoteEnd}
          onTyping={onTyping}
        />
      ) : (
        <Closed conversation={conversation} />
      )}
    </div>
  )
}

function ModeButton({
  active,
  onClick,
  children,
}: {
  active: boolean
  onClick: () => void
  children: React.ReactNode
}) {
  return (
    <button
      type="button"
      aria-pressed={active}
      onClick={onClick}
      className="inline-flex h-7 items-center gap-1 rounded-md px-2 text-[0.8rem] text-muted hover:text-ink aria-pressed:bg-sunken aria-pressed:font-semibold aria-pressed:text-ink max-md:h-10"
    >
      {children}
    </button>
  )
}

function Hint({ conversation, mode, isOpen }: { conversation: Conversation; mode: Mode; isOpen: boolean }) {
  const { t } = useLingui()
  const { user } = useMe()
  if (mode === 'note') return <HintText>{t`Solo la ve el equipo`}</HintText>
  if (!isOpen) return null
  const isMine = conversation.control === 'person' && conversation.held_by === user.id
  return isMine ? null : <HintText>{t`Al enviar, pasas a atender tú`}</HintText>
}

function HintText({ children }: { children: string }) {
  return <span className="ml-auto truncate text-muted text-xs">{children}</span>
}

function Quoted({ message, onEnd }: { message: Message; onEnd: () => void }) {
  const { t, i18n } = useLingui()
  return (
    <div className="mb-1.5 flex items-center gap-2 rounded-md border-accent border-l-3 bg-sunken/70 px-2 py-1 text-[0.83rem]">
      <CornerUpLeft aria-hidden className="size-4 shrink-0 text-accent" />
      <span className="min-w-0 flex-1 truncate text-muted">
        {message.text || i18n._(kindName(message.kind))}
      </span>
      <button
        type="button"
        aria-label={t`No citar`}
        onClick={onEnd}
        className="grid size-7 place-items-center rounded hover:bg-sunken"
      >
        <X aria-hidden className="size-4" />
      </button>
    </div>
  )
}

/** With the window closed the place to write becomes the way to a template. */
function Closed({ conversation }: { conversation: Conversation }) {
  const { t } = useLingui()
  const [open, setOpen] = useState(false)
  return (
    <div className="flex flex-wrap items-center justify-between gap-3 rounded-md bg-warn-soft px-3 py-2.5 text-sm text-warn">
      <p className="min-w-0 flex-1">
        {t`Pasaron 24 horas desde el último mensaje del cliente: solo se puede enviar una plantilla.`}
      </p>
      <Button look="primary" onClick={() => setOpen(true)}>
        {t`Elegir plantilla`}
      </Button>
      <TemplatePicker conversation={conversation} open={open} onClose={() => setOpen(false)} />
    </div>
  )
}
