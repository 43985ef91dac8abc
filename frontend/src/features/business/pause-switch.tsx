import { useLingui } from '@lingui/react/macro'
import { Bot, Hand, Pause, Play } from 'lucide-react'
import { cn } from '@/lib/cn'
import { messageOf } from '@/session/messages'
import { Button } from '@/ui/button'

type PauseSwitchProps = {
  paused: boolean
  busy: boolean
  error: unknown
  /** Null for who may only look. */
  onChange: ((paused: boolean) => void) | null
}

/** Stops and starts every automatic answer, at once. */
export function PauseSwitch({ paused, busy, error, onChange }: PauseSwitchProps) {
  const { t, i18n } = useLingui()
  const Icon = paused ? Hand : Bot
  return (
    <section
      aria-label={t`Respuestas automáticas`}
      className={cn(
        'mb-5 flex flex-wrap items-center gap-x-4 gap-y-3 rounded-xl border p-4 md:p-5',
        paused ? 'border-warn bg-warn-soft text-warn' : 'border-line bg-surface',
      )}
    >
      <span
        className={cn(
          'grid size-11 shrink-0 place-items-center rounded-xl',
          paused ? 'bg-surface' : 'bg-accent-soft text-accent',
        )}
      >
        <Icon aria-hidden className="size-6" />
      </span>
      <div className="min-w-52 flex-1">
        <h2 className="font-semibold">
          {paused ? t`Todo está en pausa` : t`El asistente está respondiendo`}
        </h2>
        <p className={cn('text-sm', !paused && 'text-muted')}>
          {paused
            ? t`Nadie recibe respuestas automáticas. Los mensajes llegan a la bandeja y esperan a una persona.`
            : t`Con la pausa calla al instante en todas las conversaciones.`}
        </p>
        {error !== null && (
          <p role="alert" className="mt-1 font-medium text-danger text-sm">
            {i18n._(messageOf(error))}
          </p>
        )}
      </div>
      {onChange && (
        <Button look={paused ? 'primary' : 'secondary'} busy={busy} onClick={() => onChange(!paused)}>
          {paused ? <Play aria-hidden /> : <Pause aria-hidden />}
          {paused ? t`Reanudar` : t`Pausar todo`}
        </Button>
      )}
    </section>
  )
}
