import { useLingui } from '@lingui/react/macro'
import { memo } from 'react'
import type { Conversation, LastMessage } from '@/api'
import { cn } from '@/lib/cn'
import { brief, phone } from '@/lib/format'
import { REASONS } from '@/lib/why'
import { Avatar } from '@/ui/avatar'
import { plainName } from '@/ui/names'
import type { InboxIndex } from './inbox-index'
import { useRow } from './use-inbox'
import { CONTROL_NAMES, kindName } from './words'

/** The name that a person is called by: their own, or else the number. */
export function nameOf(contact: Conversation['contact']): string {
  return plainName(contact.name) || phone(contact.phone) || contact.user_id || '—'
}

const TICKS: Record<NonNullable<LastMessage['delivery']>, string> = {
  queued: '◷ ',
  sent: '✓ ',
  delivered: '✓✓ ',
  read: '✓✓ ',
  failed: '⚠ ',
  not_confirmed: '? ',
}

const EDGES: Record<Conversation['control'], string> = {
  bot: 'border-l-bot/70',
  person: 'border-l-person',
  nobody: 'border-l-line-strong',
}

type RowProps = { index: InboxIndex; id: string; isOpen: boolean; isFocused: boolean }

/**
 * One conversation in the list: eight elements and one height, because a fling draws five hundred of them in a second.
 * The list follows its address; the link is there for the keyboard, the middle button and the screen reader.
 */
export const Row = memo(function Row({ index, id, isOpen, isFocused }: RowProps) {
  const { t, i18n } = useLingui()
  const conversation = useRow(index, id)
  if (!conversation) return null
  const { contact, last_message, unread, control, attention } = conversation
  const name = nameOf(contact)
  const preview = last_message ? last_message.text || i18n._(kindName(last_message.kind)) : ''
  const why = attention ? i18n._(REASONS[attention as keyof typeof REASONS] ?? CONTROL_NAMES.nobody) : null
  const at = brief(conversation.last_message_at)
  return (
    <a
      href={`/inbox/${id}`}
      data-conversation={id}
      aria-current={isOpen ? 'true' : undefined}
      className={cn(
        'grid h-full grid-cols-[auto_minmax(0,1fr)_auto] grid-rows-2 content-center gap-x-3 border-line border-b border-l-4 py-2 pr-3 pl-2.5 outline-none hover:bg-sunken/60',
        EDGES[control],
        isOpen && 'bg-accent-soft hover:bg-accent-soft',
        isFocused && !isOpen && 'bg-sunken/60',
      )}
    >
      <Avatar name={name} className="row-span-2 size-10 self-center" />
      <span
        className={cn(
          'truncate self-end text-[0.92rem] leading-tight',
          unread > 0 ? 'font-semibold' : 'font-medium',
        )}
      >
        {name}
      </span>
      <span
        className={cn('tabular self-end text-xs', unread > 0 ? 'font-semibold text-accent' : 'text-muted')}
      >
        {at}
      </span>
      <span className={cn('truncate pt-0.5 text-[0.85rem]', attention ? 'text-warn' : 'text-muted')}>
        {why ? `⚑ ${why} · ` : ''}
        {last_message?.delivery && TICKS[last_message.delivery]}
        {preview}
      </span>
      <span className="sr-only">
        {[i18n._(CONTROL_NAMES[control]), unread > 0 && t`${unread} sin leer`].filter(Boolean).join(', ')}
      </span>
      {unread > 0 && (
        <span
          aria-hidden
          className="tabular mt-0.5 min-w-5 self-start justify-self-end rounded-full bg-accent px-1.5 text-center font-semibold text-[0.7rem] text-on-accent leading-4.5"
        >
          {unread > 99 ? '99+' : unread}
        </span>
      )}
    </a>
  )
})
