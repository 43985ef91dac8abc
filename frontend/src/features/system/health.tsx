import { Plural, useLingui } from '@lingui/react/macro'
import { useSuspenseQuery } from '@tanstack/react-query'
import { CircleCheck, CircleX, type LucideIcon, TriangleAlert } from 'lucide-react'
import type { Component, HealthDetails } from '@/api'
import { systemHealthOptions } from '@/api/@tanstack/react-query.gen'
import { cn } from '@/lib/cn'
import { Processes } from './processes'
import { Queues } from './queues'
import { detailOf, partOf, STATUSES } from './words'

const FRESH_MS = 5000

type Status = Component['status']

const LOOKS: Record<Status, { icon: LucideIcon; ink: string; box: string }> = {
  ok: { icon: CircleCheck, ink: 'text-accent', box: 'border-line bg-surface' },
  degraded: { icon: TriangleAlert, ink: 'text-warn', box: 'border-warn/40 bg-warn-soft' },
  unhealthy: { icon: CircleX, ink: 'text-danger', box: 'border-danger/40 bg-danger-soft' },
}

/** Every part with what to do, what waits, and which processes run. */
export function Health() {
  const { data } = useSuspenseQuery({ ...systemHealthOptions(), refetchInterval: FRESH_MS })
  return (
    <>
      <Verdict health={data} />
      <Parts components={data.components} />
      <Queues backlog={data.backlog} />
      <Processes processes={data.processes} />
    </>
  )
}

function Verdict({ health }: { health: HealthDetails }) {
  const { t } = useLingui()
  const wrong = health.components.filter((one) => one.status !== 'ok').length
  const { icon: Icon, ink } = LOOKS[health.status]
  return (
    <div className="mb-4 flex flex-wrap items-center gap-x-3 gap-y-1">
      <Icon aria-hidden className={cn('size-6', ink)} />
      <p role="status" className="font-semibold text-lg">
        {wrong === 0 ? (
          t`Todo funciona`
        ) : (
          <Plural value={wrong} one="Todo bien salvo una cosa" other="Hay # cosas que mirar" />
        )}
      </p>
      <p className="text-muted text-sm">{t`Versión ${health.version} · se actualiza solo`}</p>
    </div>
  )
}

function Parts({ components }: { components: readonly Component[] }) {
  return (
    <ul className="mb-5 grid gap-3 sm:grid-cols-2 xl:grid-cols-3">
      {components.map((one) => (
        <PartCard key={one.name} component={one} />
      ))}
    </ul>
  )
}

function PartCard({ component }: { component: Component }) {
  const { i18n } = useLingui()
  const part = partOf(component.name)
  const { icon: Icon, ink, box } = LOOKS[component.status]
  const isWrong = component.status !== 'ok'
  return (
    <li className={cn('flex gap-3 rounded-xl border p-4', box)}>
      <Icon
        role="img"
        aria-label={i18n._(STATUSES[component.status])}
        className={cn('mt-px size-5 shrink-0', ink)}
      />
      <div className="min-w-0">
        <h2 className="font-semibold">{part ? i18n._(part.name) : component.name}</h2>
        <p className={cn('text-sm', !isWrong && 'text-muted')}>
          {isWrong ? <Detail text={component.detail} /> : part && i18n._(part.about)}
        </p>
      </div>
    </li>
  )
}

function Detail({ text }: { text: string }) {
  const { i18n } = useLingui()
  const words = detailOf(text)
  return words ? i18n._(words) : <span lang="en">{text}</span>
}
