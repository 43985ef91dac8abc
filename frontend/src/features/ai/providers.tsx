import { Plural, Trans, useLingui } from '@lingui/react/macro'
import { useSuspenseQuery } from '@tanstack/react-query'
import { Plus, UserRound } from 'lucide-react'
import { Suspense, useState } from 'react'
import type { ProviderRoute } from '@/api'
import { providersRoutesOptions } from '@/api/@tanstack/react-query.gen'
import { number } from '@/lib/format'
import { useCan } from '@/session/session'
import { Button } from '@/ui/button'
import { Pane } from '@/ui/error-pane'
import { Money } from '@/ui/money'
import { Page } from '@/ui/page'
import { SkeletonRows } from '@/ui/skeleton'
import { Stat } from '@/ui/stat'
import { AddProvider } from './add-provider'
import { providerName } from './names'
import { moved } from './order'
import { ProviderCard } from './provider-card'
import { answersNow, totals } from './state'
import { useDrag } from './use-drag'
import { useOrder } from './use-order'

const FRESH_MS = 5000

/** Who answers customers, in which order, how each of them does, and what it costs. */
export function Providers() {
  const { t } = useLingui()
  const mayManage = useCan('models:manage')
  const [adding, setAdding] = useState(false)
  return (
    <Page
      wide
      title={t`Modelos de IA`}
      description={t`El primero de la lista responde. Si falla, tarda demasiado o está en pausa, responde el siguiente.`}
      actions={
        mayManage && (
          <Button look="primary" onClick={() => setAdding(true)}>
            <Plus aria-hidden />
            {t`Añadir proveedor`}
          </Button>
        )
      }
    >
      <Pane>
        <Suspense fallback={<SkeletonRows />}>
          <Chain />
        </Suspense>
      </Pane>
      {adding && <AddProvider onClose={() => setAdding(false)} />}
    </Page>
  )
}

function Chain() {
  const { t } = useLingui()
  const { data } = useSuspenseQuery({ ...providersRoutesOptions(), refetchInterval: FRESH_MS })
  const mayManage = useCan('models:manage')
  const save = useOrder()
  const [said, setSaid] = useState('')
  const move = (from: number, to: number) => {
    const route = data.routes[from]
    if (!route || to < 0 || to >= movable) return
    save(moved(data.routes, from, to))
    const name = `${providerName(route.provider)} ${route.model}`
    setSaid(t`${name}, ${to + 1} de ${movable}`)
  }
  const drag = useDrag(move)
  const routes = drag.from === null ? data.routes : moved(data.routes, drag.from, drag.to)
  const movable = data.routes.filter((route) => route.origin !== 'built_in').length
  const now = answersNow(data.routes)
  const change = (route: ProviderRoute, what: Partial<ProviderRoute>) =>
    save(data.routes.map((one) => (one.route_id === route.route_id ? { ...one, ...what } : one)))

  return (
    <>
      <Day routes={data.routes} />
      <ol {...drag.list} aria-label={t`En el orden en que se preguntan`} className="flex flex-col gap-3">
        {routes.map((route, index) => (
          <ProviderCard
            key={route.route_id}
            route={route}
            place={index + 1}
            isNow={route.route_id === now}
            isOnlyOne={routes.filter((one) => one.enabled).length === 1}
            isDragged={drag.from !== null && index === drag.to}
            onChange={mayManage ? (what) => change(route, what) : undefined}
            onMove={mayManage && movable > 1 ? (step) => move(index, index + step) : undefined}
            isFirst={index === 0}
            isLast={index >= movable - 1}
            onGrab={drag.begin(index)}
          />
        ))}
        <LastResort />
      </ol>
      <p aria-live="polite" className="sr-only">
        {said}
      </p>
    </>
  )
}

/** Today in four figures. */
function Day({ routes }: { routes: readonly ProviderRoute[] }) {
  const { t } = useLingui()
  const day = totals(routes)
  const answers = day.calls - day.failed
  return (
    <div className="mb-4 grid grid-cols-2 gap-3 lg:grid-cols-4">
      <Stat label={t`Respuestas de hoy`} value={number(answers)} />
      <Stat label={t`Fallos de hoy`} value={number(day.failed)} />
      <Stat
        label={t`Coste de hoy`}
        value={<Money amount={day.cost} />}
        hint={
          day.unpriced > 0 && (
            <Plural
              value={day.unpriced}
              one="más # respuesta de precio desconocido"
              other="más # respuestas de precio desconocido"
            />
          )
        }
      />
      <Stat
        label={t`Coste por respuesta`}
        value={<Money amount={answers > day.unpriced ? day.cost / (answers - day.unpriced) : null} />}
      />
    </div>
  )
}

function LastResort() {
  return (
    <li className="flex items-start gap-3 rounded-xl border border-line border-dashed px-4 py-3 text-muted text-sm">
      <UserRound aria-hidden className="mt-0.5 size-4.5 shrink-0" />
      <p>
        <Trans>
          Si ninguno puede responder, el cliente recibe un aviso honesto, la conversación queda marcada para
          que la atienda una persona y se vuelve a intentar.
        </Trans>
      </p>
    </li>
  )
}
