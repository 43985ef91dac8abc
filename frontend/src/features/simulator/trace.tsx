import { useLingui } from '@lingui/react/macro'
import { Link } from '@tanstack/react-router'
import {
  CircleCheck,
  CircleX,
  Clock3,
  Cpu,
  type LucideIcon,
  MessageSquareText,
  SkipForward,
} from 'lucide-react'
import type { ReactNode } from 'react'
import type { ConversationsTurnsState, CustomerView, ModelCall, Turn } from '@/api'
import { milliseconds, number, usd } from '@/lib/format'
import { errorName } from '@/lib/model-errors'
import { REASONS, TURN_STATES } from '@/lib/why'
import { Badge, type Tone } from '@/ui/badge'
import { DateTime } from '@/ui/date-time'
import { ErrorPane } from '@/ui/error-pane'
import { Section } from '@/ui/page'
import { Ticks } from '@/ui/ticks'
import { type Trace, useConversation, useTrace } from './queries'
import { costOf, spans } from './turn-times'

/** What happened to the last thing this person wrote: the answer or the reason for silence, models, money, time. */
export function LastTurn({ person }: { person: CustomerView }) {
  const { t } = useLingui()
  const conversation = useConversation(person)
  return (
    <Section
      title={t`Último turno`}
      description={t`Qué pasó con lo último que escribió, y por qué.`}
      actions={
        conversation && (
          <Link
            to="/inbox/$conversationId"
            params={{ conversationId: conversation.id }}
            className="font-medium text-accent text-sm hover:underline"
          >
            {t`Abrir en la bandeja`}
          </Link>
        )
      }
    >
      {conversation ? (
        <TurnOf conversationId={conversation.id} />
      ) : (
        <p className="text-muted text-sm">{t`Aquí aparece cuando ${person.name} escriba.`}</p>
      )}
    </Section>
  )
}

function TurnOf({ conversationId }: { conversationId: string }) {
  const { t, i18n } = useLingui()
  const { trace, error } = useTrace(conversationId)
  if (error) return <ErrorPane error={error} />
  if (!trace) return <p className="text-muted text-sm">{t`Todavía no hay ningún turno.`}</p>
  const { turn } = trace
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center gap-2 text-sm">
        <Badge tone={TONES[turn.state]}>{i18n._(TURN_STATES[turn.state])}</Badge>
        <span className="text-muted">
          <DateTime at={turn.opened_at} look="time" />
        </span>
        <Sum turn={turn} />
      </div>
      {turn.reason && <p className="text-sm">{i18n._(REASONS[turn.reason])}</p>}
      <ol className="flex flex-col">
        <Steps trace={trace} />
      </ol>
    </div>
  )
}

const TONES: Record<ConversationsTurnsState, Tone> = {
  collecting: 'info',
  thinking: 'bot',
  ready: 'bot',
  sending: 'bot',
  done: 'good',
  handed_off: 'warn',
  ignored: 'neutral',
  failed: 'bad',
  superseded: 'neutral',
}

function Sum({ turn }: { turn: Turn }) {
  const { total } = spans(turn)
  const cost = costOf(turn.model_calls)
  return (
    <span className="tabular ml-auto flex gap-3 font-medium">
      {total !== null && <span>{milliseconds(total)}</span>}
      {cost !== null && <span>{usd(cost)}</span>}
    </span>
  )
}

function Steps({ trace: { turn, answers } }: { trace: Trace }) {
  const { t } = useLingui()
  const { waited, thought } = spans(turn)
  return (
    <>
      {waited !== null && (
        <Step icon={Clock3} aside={milliseconds(waited)}>
          {turn.inbound_ids.length > 1
            ? t`Esperó a que terminara de escribir: ${turn.inbound_ids.length} mensajes, una respuesta`
            : t`Esperó por si escribía más`}
        </Step>
      )}
      {turn.model_calls.map((call) => (
        <Call key={`${call.claim} ${call.position}`} call={call} />
      ))}
      {thought !== null && turn.model_calls.length === 0 && (
        <Step icon={Cpu} aside={milliseconds(thought)}>{t`Decidió sin preguntar a ningún modelo`}</Step>
      )}
      {answers.map((answer) => (
        <Step
          key={answer.id}
          icon={MessageSquareText}
          aside={answer.delivery && <Ticks tick={answer.delivery.tick} />}
        >
          <span className="line-clamp-3">{answer.text}</span>
        </Step>
      ))}
    </>
  )
}

const OUTCOMES: Record<string, { icon: LucideIcon; className: string }> = {
  answered: { icon: CircleCheck, className: 'text-accent' },
  failed: { icon: CircleX, className: 'text-danger' },
  skipped: { icon: SkipForward, className: 'text-muted' },
}

function Call({ call }: { call: ModelCall }) {
  const { t } = useLingui()
  const { icon, className = '' } = OUTCOMES[call.outcome] ?? { icon: Cpu }
  const price = [tokensOf(call, t`tokens`), call.cost_usd && usd(call.cost_usd)].filter(Boolean).join(' · ')
  return (
    <Step
      icon={icon}
      iconClass={className}
      aside={call.outcome === 'skipped' ? null : milliseconds(call.milliseconds)}
    >
      {call.provider === OFFLINE ? (
        t`Respondió sin modelo, con los datos del negocio`
      ) : (
        <>
          <span className="font-medium">{call.model ?? call.provider}</span> <Outcome call={call} />
          {price && <span className="block text-muted text-xs">{price}</span>}
        </>
      )}
      {call.detail && <span className="line-clamp-2 block text-danger text-xs">{call.detail}</span>}
    </Step>
  )
}

// What answers when no model is configured, in the same chain as the models.
const OFFLINE = 'offline'

function Outcome({ call }: { call: ModelCall }) {
  const { t, i18n } = useLingui()
  const outcome =
    call.outcome === 'answered' ? t`respondió` : call.outcome === 'skipped' ? t`no se preguntó` : t`falló`
  return (
    <span className="text-muted">
      {[call.provider, outcome, call.kind && i18n._(errorName(call.kind)), call.http_status]
        .filter(Boolean)
        .join(' · ')}
    </span>
  )
}

function tokensOf(call: ModelCall, unit: string): string | null {
  if (call.tokens_in === null && call.tokens_out === null) return null
  return `${number(call.tokens_in ?? 0)} + ${number(call.tokens_out ?? 0)} ${unit}`
}

type StepProps = { icon: LucideIcon; iconClass?: string; aside?: ReactNode; children: ReactNode }

function Step({ icon: Icon, iconClass = 'text-muted', aside, children }: StepProps) {
  return (
    <li className="relative flex gap-2.5 pb-3 text-sm last:pb-0 not-last:before:absolute not-last:before:top-5 not-last:before:bottom-0 not-last:before:left-[0.47rem] not-last:before:w-px not-last:before:bg-line">
      <Icon aria-hidden className={`mt-0.5 size-4 shrink-0 ${iconClass}`} />
      <div className="min-w-0 flex-1 [overflow-wrap:anywhere]">{children}</div>
      {aside && <div className="tabular shrink-0 text-muted text-xs leading-5">{aside}</div>}
    </li>
  )
}
