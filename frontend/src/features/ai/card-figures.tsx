import { useLingui } from '@lingui/react/macro'
import { TriangleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import type { ProviderRoute } from '@/api'
import { milliseconds, number, usd } from '@/lib/format'
import { errorName } from '@/lib/model-errors'
import { DateTime } from '@/ui/date-time'
import { Money } from '@/ui/money'
import { Progress } from '@/ui/progress'

/** How a route does: speed and failures of the last hour, money and requests of today, what went wrong last. */
export function CardFigures({ route }: { route: ProviderRoute }) {
  const { t } = useLingui()
  const share = route.error_share_last_hour
  return (
    <>
      <dl className="mt-3 grid grid-cols-2 gap-x-6 gap-y-2 sm:grid-cols-3 lg:grid-cols-[repeat(4,auto)_minmax(10rem,1fr)]">
        <Figure label={t`Respuesta típica`}>{speed(route.p50_milliseconds)}</Figure>
        <Figure label={t`Las más lentas`}>{speed(route.p95_milliseconds)}</Figure>
        <Figure label={t`Fallos, última hora`}>
          {share === null ? '—' : number(share, { style: 'percent', maximumFractionDigits: 1 })}
        </Figure>
        <Figure label={t`Peticiones libres`}>
          <Left route={route} />
        </Figure>
        <Spending route={route} />
      </dl>
      <LastError route={route} />
    </>
  )
}

const speed = (value: number | null) => (value === null ? '—' : milliseconds(value))

function Left({ route }: { route: ProviderRoute }) {
  const { t } = useLingui()
  const minute = route.requests_left_this_minute
  const day = route.requests_left_today
  const parts = [minute !== null && t`${number(minute)} este minuto`, day !== null && t`${number(day)} hoy`]
  return parts.filter(Boolean).join(' · ') || '—'
}

function Figure({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-muted text-xs">{label}</dt>
      <dd className="tabular font-medium text-sm">{children}</dd>
    </div>
  )
}

/** Today's money, beside the limit where there is one. */
function Spending({ route }: { route: ProviderRoute }) {
  const { t } = useLingui()
  const spent = Number(route.cost_today_usd)
  const limit = route.daily_limit_usd === null ? null : Number(route.daily_limit_usd)
  return (
    <Figure label={t`Gasto de hoy`}>
      {limit === null ? (
        <Money amount={spent} />
      ) : (
        <span className="block max-w-56">
          {t`${usd(spent)} de ${usd(limit)}`}
          <Progress
            label={t`Gasto de hoy`}
            value={spent}
            most={limit}
            tone={spent >= limit ? 'bad' : spent >= limit * 0.8 ? 'warn' : 'good'}
          />
        </span>
      )}
    </Figure>
  )
}

/** The last error, unless an answer came after it. */
function LastError({ route }: { route: ProviderRoute }) {
  const { t, i18n } = useLingui()
  const { last_error_at, last_answer_at } = route
  if (last_error_at === null || (last_answer_at !== null && last_answer_at > last_error_at)) return null
  return (
    <p className="mt-2 flex items-start gap-1.5 text-warn text-xs">
      <TriangleAlert aria-hidden className="mt-px size-3.5 shrink-0" />
      <span className="min-w-0 [overflow-wrap:anywhere]">
        {t`Último fallo`} <DateTime at={last_error_at} look="relative" />:{' '}
        {i18n._(errorName(route.last_error_kind))}
        {route.last_error_message && (
          <span lang="en" className="text-muted">
            {' '}
            · {route.last_error_message}
          </span>
        )}
      </span>
    </p>
  )
}
