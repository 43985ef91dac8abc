import type { MessageDescriptor } from '@lingui/core'
import { msg } from '@lingui/core/macro'
import { useLingui } from '@lingui/react/macro'
import { Check, CheckCheck, CircleAlert, CircleHelp, Clock3 } from 'lucide-react'
import type { Delivery } from '@/api'
import { cn } from '@/lib/cn'

export type Tick = Delivery['tick']

const TICKS: Record<Tick, { name: MessageDescriptor; Icon: typeof Check; colour: string }> = {
  queued: { name: msg`En cola`, Icon: Clock3, colour: '' },
  sent: { name: msg`Enviado`, Icon: Check, colour: '' },
  delivered: { name: msg`Entregado`, Icon: CheckCheck, colour: '' },
  read: { name: msg`Leído`, Icon: CheckCheck, colour: 'text-tick-read' },
  failed: { name: msg`No llegó`, Icon: CircleAlert, colour: 'text-danger' },
  not_confirmed: { name: msg`Sin confirmar`, Icon: CircleHelp, colour: 'text-warn' },
}

/** What became of a message that left, as a sign with a name. */
export function Ticks({ tick, className }: { tick: Tick; className?: string }) {
  const { i18n } = useLingui()
  const { name, Icon, colour } = TICKS[tick]
  return (
    <Icon
      role="img"
      aria-label={i18n._(name)}
      data-delivery={tick}
      className={cn('inline-block size-4 shrink-0', colour, className)}
    />
  )
}
