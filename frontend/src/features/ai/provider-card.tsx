import type { MessageDescriptor } from '@lingui/core'
import { msg } from '@lingui/core/macro'
import { Trans, useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import {
  ArrowDown,
  ArrowUp,
  CircleCheck,
  CircleDashed,
  CirclePause,
  CircleX,
  Clock,
  GripVertical,
  KeyRound,
  type LucideIcon,
  PowerOff,
  TriangleAlert,
  Wallet,
} from 'lucide-react'
import type { PointerEvent } from 'react'
import { type ProviderRoute, providersTest } from '@/api'
import { providersRoutesQueryKey } from '@/api/@tanstack/react-query.gen'
import { cn } from '@/lib/cn'
import { duration } from '@/lib/format'
import { messageOf } from '@/session/messages'
import { Badge, type Tone } from '@/ui/badge'
import { Button, IconButton } from '@/ui/button'
import { Switch } from '@/ui/switch'
import { toast } from '@/ui/toast'
import { hostOf } from './address'
import { CardFigures } from './card-figures'
import { CardMenu } from './card-menu'
import { providerName } from './names'
import { type RouteState, stateOf } from './state'
import { TestResult } from './test-result'

const STATES: Record<RouteState, { label: MessageDescriptor; tone: Tone; icon: LucideIcon }> = {
  needs_key: { label: msg`Le falta la clave`, tone: 'warn', icon: KeyRound },
  off: { label: msg`Apagado`, tone: 'neutral', icon: PowerOff },
  spent: { label: msg`Agotó el gasto de hoy`, tone: 'warn', icon: Wallet },
  paused: { label: msg`En pausa por fallos`, tone: 'bad', icon: CircleX },
  waiting: { label: msg`En espera`, tone: 'warn', icon: Clock },
  no_requests: { label: msg`Sin peticiones libres`, tone: 'warn', icon: Clock },
  recovering: { label: msg`Recuperándose`, tone: 'warn', icon: CirclePause },
  failing: { label: msg`Falla casi siempre`, tone: 'bad', icon: CircleX },
  shaky: { label: msg`Falla a veces`, tone: 'warn', icon: TriangleAlert },
  untried: { label: msg`Sin probar`, tone: 'neutral', icon: CircleDashed },
  good: { label: msg`Bien`, tone: 'good', icon: CircleCheck },
}

type CardProps = {
  route: ProviderRoute
  place: number
  /** The next message would go to it. */
  isNow: boolean
  /** The last one that is enabled cannot be switched off. */
  isOnlyOne: boolean
  isFirst: boolean
  isLast: boolean
  isDragged: boolean
  /** Without these the person may only look. */
  onChange?: (what: Pick<ProviderRoute, 'enabled'> | Pick<ProviderRoute, 'daily_limit_usd'>) => void
  onMove?: (step: 1 | -1) => void
  onGrab: (event: PointerEvent) => void
}

/** One way to an answer: what it is, how it does, and what can be done with it. */
export function ProviderCard(props: CardProps) {
  const { t } = useLingui()
  const { route, onChange } = props
  const name = providerName(route.provider)
  const title = `${name} ${route.model}`
  const test = useTest(route)
  if (route.origin === 'built_in') return <OfflineCard isNow={props.isNow} />
  return (
    <li
      data-movable
      aria-label={title}
      className={cn(
        'flex gap-2 rounded-xl border border-line bg-surface py-3 pr-3 pl-1.5 transition-shadow md:gap-3 md:pr-4 md:pl-2',
        props.isDragged && 'border-accent shadow-float',
      )}
    >
      <Handle {...props} name={title} />
      <div className="min-w-0 flex-1">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
          <h2 className="min-w-0 [overflow-wrap:anywhere]">
            <span className="font-semibold">{name}</span>{' '}
            <span className="font-mono text-[0.85rem] text-muted">{route.model}</span>
          </h2>
          <StateBadge route={route} />
          {props.isNow && <Badge tone="info">{t`Responde ahora`}</Badge>}
          <div className="ml-auto flex items-center gap-1">
            {onChange && (
              <>
                <Button size="sm" busy={test.isPending} onClick={() => test.mutate()}>
                  {t`Probar`}
                </Button>
                <CardMenu route={route} onLimit={(daily_limit_usd) => onChange({ daily_limit_usd })} />
                <Switch
                  bare
                  label={t`Usar ${title}`}
                  checked={route.enabled}
                  disabled={route.needs_key || (route.enabled && props.isOnlyOne)}
                  onChange={(enabled) => onChange({ enabled })}
                />
              </>
            )}
          </div>
        </div>
        <Facts route={route} />
        <CardFigures route={route} />
        <TestResult result={test.data} />
        {onChange && route.enabled && props.isOnlyOne && (
          <p className="mt-2 text-muted text-xs">
            <Trans>
              Es el único encendido, por eso no se puede apagar. Para que nadie conteste solo, pausa el
              asistente en los datos del negocio.
            </Trans>
          </p>
        )}
      </div>
    </li>
  )
}

/** The place, and the ways to change it: drag, the arrow keys on the handle, two buttons. */
function Handle({ name, place, isFirst, isLast, onMove, onGrab }: CardProps & { name: string }) {
  const { t } = useLingui()
  if (!onMove)
    return <span className="tabular w-7 shrink-0 pt-0.5 text-center text-muted text-sm">{place}</span>
  return (
    <div className="flex shrink-0 flex-col items-center">
      <button
        type="button"
        aria-label={t`${place}. Mover ${name}: arrastra, o usa las flechas`}
        className="flex h-8 cursor-grab touch-none items-center gap-0.5 rounded-md px-1 text-muted hover:bg-sunken hover:text-ink active:cursor-grabbing max-md:h-11"
        onPointerDown={onGrab}
        onKeyDown={(event) => {
          const step = { ArrowUp: -1, ArrowDown: 1 }[event.key] as 1 | -1 | undefined
          if (!step) return
          event.preventDefault()
          onMove(step)
        }}
      >
        <GripVertical aria-hidden className="size-4" />
        <span className="tabular text-sm">{place}</span>
      </button>
      <IconButton label={t`Subir ${name}`} disabled={isFirst} onClick={() => onMove(-1)}>
        <ArrowUp aria-hidden />
      </IconButton>
      <IconButton label={t`Bajar ${name}`} disabled={isLast} onClick={() => onMove(1)}>
        <ArrowDown aria-hidden />
      </IconButton>
    </div>
  )
}

function StateBadge({ route }: { route: ProviderRoute }) {
  const { i18n } = useLingui()
  const { label, tone, icon: Icon } = STATES[stateOf(route)]
  return (
    <Badge tone={tone}>
      <Icon aria-hidden />
      {i18n._(label)}
      {route.paused && ` · ${duration(Math.ceil(route.paused_seconds))}`}
    </Badge>
  )
}

/** Where it was configured, where it is asked, and how its key ends. */
function Facts({ route }: { route: ProviderRoute }) {
  const { t } = useLingui()
  const facts = [
    hostOf(route.base_url),
    route.key_last_four && t`clave ••••${route.key_last_four}`,
    route.local && t`en tu red`,
    route.origin === 'environment' && t`configurado en el servidor`,
  ]
  return (
    <p className="mt-1 text-muted text-xs [overflow-wrap:anywhere]">{facts.filter(Boolean).join(' · ')}</p>
  )
}

function OfflineCard({ isNow }: { isNow: boolean }) {
  const { t } = useLingui()
  return (
    <li className="rounded-xl border border-line bg-surface px-4 py-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <h2 className="font-semibold">{t`Respuestas sin modelo`}</h2>
        {isNow && <Badge tone="info">{t`Responde ahora`}</Badge>}
      </div>
      <p className="mt-1 max-w-3xl text-muted text-sm">
        <Trans>
          Mientras no haya ningún proveedor encendido, el asistente contesta con lo que dice la ficha del
          negocio: horario, dirección, datos y preguntas frecuentes. No cuesta nada y no inventa: lo que no
          sabe se lo pasa a una persona.
        </Trans>
      </p>
    </li>
  )
}

function useTest(route: ProviderRoute) {
  const { i18n } = useLingui()
  const queries = useQueryClient()
  return useMutation({
    mutationFn: async () => (await providersTest({ path: { route_id: route.route_id } })).data,
    onError: (error) => toast.error(i18n._(messageOf(error))),
    onSettled: () => queries.invalidateQueries({ queryKey: providersRoutesQueryKey() }),
  })
}
