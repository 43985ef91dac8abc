import { Plural, useLingui } from '@lingui/react/macro'
import { useSuspenseQuery } from '@tanstack/react-query'
import { TriangleAlert } from 'lucide-react'
import type { Backlog, QueueState } from '@/api'
import { operationsQueuesOptions } from '@/api/@tanstack/react-query.gen'
import { cn } from '@/lib/cn'
import { duration, number } from '@/lib/format'
import { Section } from '@/ui/page'
import { queueOf } from './words'

const FRESH_MS = 5000
const LATE_SECONDS = 120

/** What waits at each stage of a message's way, what is under way, and how long the oldest has waited. */
export function Queues({ backlog }: { backlog: Backlog | null }) {
  const { t } = useLingui()
  const { data } = useSuspenseQuery({ ...operationsQueuesOptions(), refetchInterval: FRESH_MS })
  return (
    <Section
      title={t`Colas`}
      description={t`El número es lo que ya debería estar en marcha. Lo normal es que sea cero.`}
    >
      <ul className="grid grid-cols-2 gap-3 sm:grid-cols-3 lg:grid-cols-5">
        {data.map((queue) => (
          <QueueCard key={queue.name} queue={queue} />
        ))}
      </ul>
      {backlog && <Unconfirmed backlog={backlog} />}
    </Section>
  )
}

function QueueCard({ queue }: { queue: QueueState }) {
  const { t, i18n } = useLingui()
  const { name, about } = queueOf(queue.name)
  const seconds = queue.oldest_age_seconds ?? 0
  const isLate = seconds > LATE_SECONDS
  const { in_flight, scheduled } = queue
  const beside = [
    in_flight > 0 && t`${number(in_flight)} en marcha`,
    scheduled > 0 && t`${number(scheduled)} para más tarde`,
  ]
  return (
    <li
      className={cn('rounded-lg border px-3 py-2.5', isLate ? 'border-warn/40 bg-warn-soft' : 'border-line')}
    >
      <p className="truncate font-medium text-sm">{i18n._(name)}</p>
      <p className="tabular font-semibold text-2xl leading-tight">{number(queue.pending)}</p>
      <p className="text-muted text-xs">{beside.filter(Boolean).join(' · ') || i18n._(about)}</p>
      {seconds >= 1 && (
        <p className={cn('mt-1 text-xs', isLate ? 'font-medium text-warn' : 'text-muted')}>
          {t`La más antigua espera desde hace ${duration(seconds)}`}
        </p>
      )}
    </li>
  )
}

/** What may have been sent: nothing is done about it until a status comes, or a person decides. */
function Unconfirmed({ backlog }: { backlog: Backlog }) {
  const { unknown = 0, needs_operator = 0 } = backlog
  if (unknown === 0) return null
  return (
    <p className="mt-3 flex items-start gap-2 text-sm">
      <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-warn" />
      <span>
        <Plural
          value={unknown}
          one="# mensaje que WhatsApp no confirmó"
          other="# mensajes que WhatsApp no confirmó"
        />
        {needs_operator > 0 && (
          <>
            {'. '}
            <Plural
              value={needs_operator}
              one="# espera desde hace más de una hora y pide que una persona decida."
              other="# esperan desde hace más de una hora y piden que una persona decida."
            />
          </>
        )}
      </span>
    </p>
  )
}
