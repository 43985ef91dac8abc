import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { type ChannelDetails, channelsStop } from '@/api'
import { channelsFindQueryKey } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { Field, Input } from '@/ui/field'

/** Stops sending through a channel, with a reason that everybody sees. */
export function StopChannel({ channel, onClose }: { channel: ChannelDetails; onClose: () => void }) {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const [reason, setReason] = useState('')
  const stop = useMutation({
    mutationFn: () => channelsStop({ path: { channel_id: channel.id }, body: { reason: reason.trim() } }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: channelsFindQueryKey() })
      onClose()
    },
  })
  return (
    <Dialog
      open
      onClose={onClose}
      title={t`Parar ${channel.name}`}
      description={t`Nada sale por este número hasta reanudarlo. Lo que llega sigue entrando en la bandeja, y lo que iba a salir espera.`}
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          stop.mutate()
        }}
      >
        <Field label={t`Por qué`} error={stop.error && i18n._(messageOf(stop.error))}>
          <Input
            required
            maxLength={200}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
            placeholder={t`Cambiamos el token`}
          />
        </Field>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t`Cancelar`}</Button>
          <Button type="submit" look="danger" busy={stop.isPending}>
            {t`Parar`}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
