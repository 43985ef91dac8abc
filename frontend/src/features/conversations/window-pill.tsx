import { useLingui } from '@lingui/react/macro'
import { Clock3 } from 'lucide-react'
import type { Conversation } from '@/api'
import { duration, exactTime } from '@/lib/format'
import { Badge } from '@/ui/badge'
import { useMinute } from '@/ui/date-time'

const HOUR = 3600
const SOON = 2 * HOUR

const secondsLeft = (conversation: Conversation): number | null =>
  conversation.window_closes_at === null
    ? null
    : Math.max(0, (new Date(conversation.window_closes_at).getTime() - Date.now()) / 1000)

/** Whether anything but a template may be written now. It turns as time passes. */
export function useWindowOpen(conversation: Conversation): boolean {
  useMinute()
  return (secondsLeft(conversation) ?? 0) > 0
}

/** How long the customer's last message still allows a free answer. */
export function WindowPill({ conversation }: { conversation: Conversation }) {
  const { t } = useLingui()
  useMinute()
  const left = secondsLeft(conversation)
  if (left === null) return null
  const tone = left === 0 ? 'bad' : left < SOON ? 'warn' : 'neutral'
  const closes = conversation.window_closes_at ?? ''
  return (
    <span title={exactTime(closes)} className="shrink-0 max-sm:hidden">
      <Badge tone={tone}>
        <Clock3 aria-hidden />
        {left === 0 ? t`Ventana cerrada` : t`Ventana ${duration(left)}`}
      </Badge>
    </span>
  )
}
