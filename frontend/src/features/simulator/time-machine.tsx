import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { FastForward } from 'lucide-react'
import type { CustomerView } from '@/api'
import { simulatorMoveClock } from '@/api'
import { simulatorStateOptions } from '@/api/@tanstack/react-query.gen'
import { dateTime, duration } from '@/lib/format'
import { messageOf } from '@/session/messages'
import { Badge, type Tone } from '@/ui/badge'
import { Button } from '@/ui/button'
import { useMinute } from '@/ui/date-time'
import { Section } from '@/ui/page'
import { toast } from '@/ui/toast'
import { windowLeft } from './screen'

const HOUR = 3600

/** How far a person's 24-hour window is, in the simulator's time. */
function WindowPill({ person, now }: { person: CustomerView; now: () => Date }) {
  const { t } = useLingui()
  useMinute()
  const left = windowLeft(person, now())
  if (left === null) return <Badge>{t`Todavía no ha escrito`}</Badge>
  const tone: Tone = left === 0 ? 'bad' : left < 2 * HOUR ? 'warn' : 'good'
  return <Badge tone={tone}>{left === 0 ? t`Ventana cerrada` : t`Ventana ${duration(left)}`}</Badge>
}

/** Moves the simulator's clock forward, to see what happens when the window closes. */
export function TimeMachine({ person, now }: { person: CustomerView; now: () => Date }) {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  useMinute()
  const move = useMutation({
    mutationFn: (hours: number) => simulatorMoveClock({ body: { advance_seconds: hours * HOUR } }),
    onSettled: () => queries.invalidateQueries({ queryKey: simulatorStateOptions().queryKey }),
    onError: (error) => toast.error(i18n._(messageOf(error))),
  })
  const steps = [
    { hours: 1, label: t`+1 hora` },
    { hours: 23, label: t`+23 horas` },
    { hours: 24, label: t`+24 horas` },
  ]
  return (
    <Section
      title={t`Tiempo`}
      description={t`Reloj de este WhatsApp: ${dateTime(now())}. Solo avanza.`}
      actions={<WindowPill person={person} now={now} />}
    >
      <div className="flex flex-wrap gap-2">
        {steps.map(({ hours, label }) => (
          <Button key={hours} size="sm" busy={move.isPending} onClick={() => move.mutate(hours)}>
            <FastForward aria-hidden />
            {label}
          </Button>
        ))}
      </div>
    </Section>
  )
}
