import { useLingui } from '@lingui/react/macro'
import { CircleAlert, LoaderCircle, RotateCw, Square, X } from 'lucide-react'
import type { ProviderRoute, TriedAnswer } from '@/api'
import { milliseconds, number } from '@/lib/format'
import { errorName } from '@/lib/model-errors'
import { messageOf } from '@/session/messages'
import { Badge } from '@/ui/badge'
import { Button, IconButton } from '@/ui/button'
import { MarkedText } from '@/ui/marked-text'
import { Money } from '@/ui/money'
import { Select } from '@/ui/select'
import { providerName } from './names'
import type { Trial } from './trials'

type ColumnProps = {
  route: ProviderRoute | undefined
  /** What may stand here: this one and those that stand nowhere yet. */
  choices: readonly ProviderRoute[]
  trial: Trial | undefined
  isFastest: boolean
  isCheapest: boolean
  onChoose: (routeId: string) => void
  onRemove?: () => void
  /** Missing while there is nothing to ask. */
  onAsk?: () => void
  onStop: () => void
}

/** One model, and what it said. */
export function PlaygroundColumn(props: ColumnProps) {
  const { t } = useLingui()
  const { route, trial } = props
  if (!route) return null
  const name = nameOf(route, t`Sin modelo`)
  return (
    <section aria-label={name} className="flex min-w-0 flex-col rounded-xl border border-line bg-surface">
      <div className="flex items-center gap-1 border-line border-b p-2">
        <Select
          label={t`Modelo`}
          className="min-w-0 flex-1 border-transparent"
          value={route.route_id}
          onChange={props.onChoose}
          options={props.choices.map((one) => ({ value: one.route_id, label: nameOf(one, t`Sin modelo`) }))}
        />
        {trial?.state === 'asking' ? (
          <IconButton label={t`Dejar de esperar a ${name}`} onClick={props.onStop}>
            <Square aria-hidden />
          </IconButton>
        ) : (
          <IconButton label={t`Preguntar solo a ${name}`} disabled={!props.onAsk} onClick={props.onAsk}>
            <RotateCw aria-hidden />
          </IconButton>
        )}
        {props.onRemove && (
          <IconButton label={t`Quitar ${name}`} onClick={props.onRemove}>
            <X aria-hidden />
          </IconButton>
        )}
      </div>
      <div aria-live="polite" className="flex min-h-32 flex-col p-3">
        <Body {...props} />
      </div>
    </section>
  )
}

const nameOf = (route: ProviderRoute, offline: string) =>
  route.origin === 'built_in' ? offline : `${providerName(route.provider)} · ${route.model}`

function Body({ trial, onAsk, isFastest, isCheapest }: ColumnProps) {
  const { t, i18n } = useLingui()
  if (!trial)
    return <p className="m-auto text-center text-muted text-sm">{t`Aquí aparecerá su respuesta.`}</p>
  switch (trial.state) {
    case 'asking':
      return (
        <p className="m-auto flex items-center gap-2 text-muted text-sm">
          <LoaderCircle aria-hidden className="size-4 animate-spin" />
          {t`Pensando…`}
        </p>
      )
    case 'failed':
      return (
        <div className="m-auto flex flex-col items-center gap-2 text-center">
          <CircleAlert aria-hidden className="size-5 text-danger" />
          <p className="text-sm">{i18n._(messageOf(trial.error))}</p>
          {onAsk && <Button size="sm" onClick={onAsk}>{t`Reintentar`}</Button>}
        </div>
      )
    case 'told':
      return <Told answer={trial.answer} isFastest={isFastest} isCheapest={isCheapest} />
  }
}

function Told(props: { answer: TriedAnswer; isFastest: boolean; isCheapest: boolean }) {
  const { t, i18n } = useLingui()
  const { answer } = props
  return (
    <>
      {answer.text === null ? (
        <div className="rounded-lg bg-danger-soft p-3 text-danger text-sm [overflow-wrap:anywhere]">
          <p className="font-medium">{i18n._(errorName(answer.error_kind))}</p>
          {answer.error_message && <p lang="en">{answer.error_message}</p>}
        </div>
      ) : (
        <div
          dir="auto"
          className="whitespace-pre-wrap rounded-xl rounded-tl-sm bg-bot-soft px-3 py-2 text-[0.92rem] [overflow-wrap:anywhere]"
        >
          <MarkedText text={answer.text} />
        </div>
      )}
      <dl className="tabular mt-3 flex flex-wrap gap-x-4 gap-y-1 text-sm">
        <Figure label={t`Tiempo`}>
          {milliseconds(answer.milliseconds)}
          {props.isFastest && <Badge tone="good">{t`la más rápida`}</Badge>}
        </Figure>
        <Figure label={t`Tokens`}>
          {number(answer.input_tokens)} → {number(answer.output_tokens)}
        </Figure>
        <Figure label={t`Coste`}>
          {answer.cost_usd === null ? t`desconocido` : <Money amount={answer.cost_usd} />}
          {props.isCheapest && <Badge tone="good">{t`la más barata`}</Badge>}
        </Figure>
      </dl>
    </>
  )
}

function Figure({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <div>
      <dt className="text-muted text-xs">{label}</dt>
      <dd className="flex items-center gap-1.5 font-medium">{children}</dd>
    </div>
  )
}
