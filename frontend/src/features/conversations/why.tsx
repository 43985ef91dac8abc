import { useLingui } from '@lingui/react/macro'
import { useSuspenseQuery } from '@tanstack/react-query'
import { Suspense } from 'react'
import type { ModelCall, Turn } from '@/api'
import { turnsShowOptions } from '@/api/@tanstack/react-query.gen'
import { exactTime, milliseconds, number } from '@/lib/format'
import { errorName } from '@/lib/model-errors'
import { REASONS, TURN_STATES } from '@/lib/why'
import { Badge, type Tone } from '@/ui/badge'
import { Drawer } from '@/ui/dialog'
import { Pane } from '@/ui/error-pane'
import { Money } from '@/ui/money'
import { Skeleton } from '@/ui/skeleton'
import { OUTCOMES } from './words'

/** Why an answer is as it is, or why there is none: every step, every model that was asked, what it cost. */
export function Why({ turnId, onClose }: { turnId: string | null; onClose: () => void }) {
  const { t } = useLingui()
  return (
    <Drawer
      open={turnId !== null}
      onClose={onClose}
      title={t`Por qué`}
      description={t`Lo que pasó con este mensaje, paso a paso.`}
    >
      <Pane resetKey={turnId}>
        <Suspense fallback={<Skeleton className="h-40" />}>{turnId && <WhyBody turnId={turnId} />}</Suspense>
      </Pane>
    </Drawer>
  )
}

const STATE_TONES: Partial<Record<Turn['state'], Tone>> = {
  done: 'good',
  failed: 'bad',
  handed_off: 'warn',
  ignored: 'warn',
}

function WhyBody({ turnId }: { turnId: string }) {
  const { t, i18n } = useLingui()
  const { data: turn } = useSuspenseQuery(turnsShowOptions({ path: { turn_id: turnId } }))
  const tokens = turn.model_calls.reduce(
    (sum, call) => sum + (call.tokens_in ?? 0) + (call.tokens_out ?? 0),
    0,
  )
  const known = turn.model_calls.filter((call) => call.cost_usd !== null)
  const cost = known.length > 0 ? known.reduce((sum, call) => sum + Number(call.cost_usd), 0) : null
  const took = turn.answered_at && turn.claimed_at ? since(turn.claimed_at, turn.answered_at) : null
  return (
    <>
      <p className="flex flex-wrap items-center gap-2">
        <Badge tone={STATE_TONES[turn.state]}>{i18n._(TURN_STATES[turn.state])}</Badge>
        {turn.reason && <span className="text-sm">{i18n._(REASONS[turn.reason])}</span>}
      </p>
      <dl className="mt-4 grid grid-cols-3 gap-2 text-center">
        <Figure name={t`Respuesta en`} value={took === null ? '—' : milliseconds(took)} />
        <Figure name={t`Tokens`} value={number(tokens)} />
        <Figure name={t`Coste`} value={<Money amount={cost} />} />
      </dl>
      <h3 className="mt-6 mb-2 font-semibold text-sm">{t`Modelos que se probaron`}</h3>
      {turn.model_calls.length === 0 && (
        <p className="text-muted text-sm">{t`No se preguntó a ningún modelo.`}</p>
      )}
      <ol className="flex flex-col gap-2">
        {turn.model_calls.map((call) => (
          <Call key={`${call.claim}.${call.position}`} call={call} />
        ))}
      </ol>
      <h3 className="mt-6 mb-2 font-semibold text-sm">{t`Pasos`}</h3>
      <Steps turn={turn} />
      <p className="mt-6 text-muted text-xs">
        {t`Turno`} <code className="select-all break-all font-mono">{turn.id}</code>
      </p>
    </>
  )
}

const since = (from: string, to: string) => new Date(to).getTime() - new Date(from).getTime()

function Figure({ name, value }: { name: string; value: React.ReactNode }) {
  return (
    <div className="rounded-lg bg-sunken/70 px-2 py-2">
      <dt className="text-muted text-xs">{name}</dt>
      <dd className="tabular font-semibold">{value}</dd>
    </div>
  )
}

const CALL_TONES: Record<ModelCall['outcome'], Tone> = { answered: 'good', failed: 'bad', skipped: 'neutral' }

function Call({ call }: { call: ModelCall }) {
  const { t, i18n } = useLingui()
  const facts = [
    call.outcome !== 'skipped' && milliseconds(call.milliseconds),
    call.tokens_in !== null && call.tokens_out !== null && t`${call.tokens_in} + ${call.tokens_out} tokens`,
    call.tokens_cached ? t`${call.tokens_cached} en caché` : null,
    call.http_status && `HTTP ${call.http_status}`,
  ].filter(Boolean)
  return (
    <li className="rounded-lg border border-line p-3">
      <div className="flex items-center justify-between gap-2">
        <p className="min-w-0 truncate font-medium text-sm">
          {call.provider}
          {call.model && call.model !== call.provider && <span className="text-muted"> · {call.model}</span>}
        </p>
        <Badge tone={CALL_TONES[call.outcome]}>{i18n._(OUTCOMES[call.outcome])}</Badge>
      </div>
      <p className="tabular mt-1 flex flex-wrap gap-x-3 text-muted text-xs">
        {facts.map((fact) => (
          <span key={String(fact)}>{fact}</span>
        ))}
        {call.outcome === 'answered' && <Money amount={call.cost_usd} />}
      </p>
      {(call.kind || call.detail) && (
        <p className="mt-1.5 break-words rounded bg-sunken/70 px-2 py-1 font-mono text-xs">
          {[call.kind && i18n._(errorName(call.kind)), call.detail].filter(Boolean).join(': ')}
        </p>
      )}
    </li>
  )
}

function Steps({ turn }: { turn: Turn }) {
  const { t } = useLingui()
  const steps = [
    { name: t`Llegó el primer mensaje`, at: turn.opened_at },
    { name: t`El cliente terminó de escribir`, at: turn.claimed_at },
    { name: t`Hubo respuesta`, at: turn.answered_at },
    { name: t`Terminó`, at: turn.ended_at },
  ].flatMap((step) => (step.at ? [{ name: step.name, at: step.at }] : []))
  const thrownAway = turn.restarts
  return (
    <>
      <ol className="flex flex-col gap-1.5 border-line border-l-2 pl-3 text-sm">
        {steps.map((step) => (
          <li key={step.name} className="flex justify-between gap-3">
            <span>{step.name}</span>
            <time dateTime={step.at} title={exactTime(step.at)} className="tabular text-muted">
              +{milliseconds(since(turn.opened_at, step.at))}
            </time>
          </li>
        ))}
      </ol>
      {thrownAway > 0 && (
        <p className="mt-2 text-muted text-xs">{t`Respuestas descartadas por mensajes más nuevos: ${thrownAway}`}</p>
      )}
    </>
  )
}
