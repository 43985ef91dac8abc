import type { MessageDescriptor } from '@lingui/core'
import { msg } from '@lingui/core/macro'
import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { type Delivery, type Message, outboundCancel, outboundResolve, type Resolution } from '@/api'
import { messageOf } from '@/session/messages'
import { useCan } from '@/session/session'
import { Confirm } from '@/ui/dialog'
import { toast } from '@/ui/toast'
import { refreshThread } from './thread'

const STATES: Partial<Record<Delivery['state'], MessageDescriptor>> = {
  retry: msg`Se volverá a intentar`,
  failed: msg`No salió`,
  cancelled: msg`Cancelado antes de salir`,
  superseded: msg`Descartado: llegó un mensaje más nuevo`,
  expired: msg`Esperó demasiado y ya no se envía`,
  unknown: msg`No sabemos si llegó. WhatsApp no lo confirmó.`,
}

/** What a person can still decide about a message that leaves: withdraw it, or settle one that is not confirmed. */
export function QueueActions({ message, delivery }: { message: Message; delivery: Delivery }) {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const mayDecide = useCan('outbound:decide')
  const [asking, setAsking] = useState(false)
  const path = { outbound_id: message.id }
  const options = {
    onError: (error: Error) => toast.error(i18n._(messageOf(error))),
    onSettled: () => refreshThread(queries, message.conversation_id),
  }
  const cancel = useMutation({ mutationFn: () => outboundCancel({ path }), ...options })
  const resolve = useMutation({
    mutationFn: (decision: Resolution['decision']) => outboundResolve({ path, body: { decision } }),
    ...options,
  })
  const words = STATES[delivery.state]
  const canCancel = mayDecide && ['pending', 'retry'].includes(delivery.state)
  if (!words && !canCancel) return null
  const why =
    delivery.reason && delivery.state !== 'superseded'
      ? ` (${delivery.reason}${delivery.error_code ? ` · ${delivery.error_code}` : ''})`
      : ''
  return (
    <div className="mt-1 flex flex-wrap items-center justify-end gap-x-3 gap-y-1 self-end text-muted text-xs">
      {words && <span>{i18n._(words) + why}</span>}
      {canCancel && <Act onClick={() => cancel.mutate()}>{t`Cancelar el envío`}</Act>}
      {mayDecide && delivery.state === 'unknown' && (
        <>
          <Act onClick={() => resolve.mutate('mark_sent')}>{t`Llegó`}</Act>
          <Act onClick={() => resolve.mutate('discard')}>{t`Darlo por perdido`}</Act>
          <Act onClick={() => setAsking(true)}>{t`Reenviar`}</Act>
        </>
      )}
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => {
          setAsking(false)
          resolve.mutate('resend')
        }}
        title={t`¿Reenviar este mensaje?`}
        confirm={t`Reenviar`}
      >
        {t`Si el primero sí llegó, el cliente lo recibirá dos veces.`}
      </Confirm>
    </div>
  )
}

function Act({ onClick, children }: { onClick: () => void; children: string }) {
  return (
    <button
      type="button"
      onClick={onClick}
      className="min-h-[24px] font-semibold text-accent hover:underline max-md:min-h-11"
    >
      {children}
    </button>
  )
}
