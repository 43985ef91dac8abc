import { Plural, useLingui } from '@lingui/react/macro'
import { TriangleAlert } from 'lucide-react'
import type { Backlog } from '@/api'
import { cn } from '@/lib/cn'
import { duration, number } from '@/lib/format'
import { Section } from '@/ui/page'
import { QUEUES } from './words'

const LATE_SECONDS = 120

/** What waits at each stage of a message's way, and how long the oldest has waited. */
export function Queues({ backlog }: { backlog: Backlog }) {
  const { t, i18n } = useLingui()
  const { pending = {}, oldest_age_seconds = {}, unknown = 0, needs_operator = 0 } = backlog
  return (
    <Section
      title={t`Colas`}
      description={t`Lo que ya debería estar en marcha. Lo normal es que estén vacías.`}
    >
      <ul className="grid gap-3 sm:grid-cols-3">
        {Object.entries(QUEUES).map(([stage, { name, about }]) => {
          const seconds = oldest_age_seconds[stage] ?? 0
          const isLate = seconds > LATE_SECONDS
          return (
            <li
              key={stage}
              className={cn(
                'rounded-lg border px-4 py-3',
                isLate ? 'border-warn/40 bg-warn-soft' : 'border-line',
              )}
            >
              <p className="font-medium text-sm">{i18n._(name)}</p>
              <p className="tabular font-semibold text-2xl leading-tight">{number(pending[stage] ?? 0)}</p>
              <p className="text-muted text-xs">{i18n._(about)}</p>
              {seconds >= 1 && (
                <p className={cn('mt-1 text-xs', isLate ? 'font-medium text-warn' : 'text-muted')}>
                  {t`La más antigua espera desde hace ${duration(seconds)}`}
                </p>
              )}
            </li>
          )
        })}
      </ul>
      {unknown > 0 && (
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
      )}
    </Section>
  )
}
