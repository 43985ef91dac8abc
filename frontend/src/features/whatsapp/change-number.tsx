import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { type ChannelDetails, channelsChange } from '@/api'
import { channelsFindQueryKey } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { ChannelCheck } from './channel-check'
import { draftOf, toChange } from './cloud-draft'
import { CloudFields, isAboutFields } from './cloud-fields'

/** Changes a number that was added here, and checks it right away. */
export function ChangeNumber({ channel, onClose }: { channel: ChannelDetails; onClose: () => void }) {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const [draft, setDraft] = useState(() => draftOf(channel))
  const change = useMutation({
    mutationFn: () => channelsChange({ path: { channel_id: channel.id }, body: toChange(draft, channel) }),
    onSuccess: () => queries.invalidateQueries({ queryKey: channelsFindQueryKey() }),
  })
  return (
    <Dialog open wide onClose={onClose} title={t`Cambiar ${channel.name}`}>
      {change.isSuccess ? (
        <ChannelCheck channelId={channel.id} atOnce />
      ) : (
        <form
          className="flex flex-col gap-5"
          onSubmit={(event) => {
            event.preventDefault()
            change.mutate()
          }}
        >
          <CloudFields
            isStored
            draft={draft}
            error={change.error}
            onChange={(part) => setDraft((before) => ({ ...before, ...part }))}
          />
          {change.error && !isAboutFields(change.error) && (
            <p role="alert" className="font-medium text-danger text-sm">
              {i18n._(messageOf(change.error))}
            </p>
          )}
          <div className="flex justify-end gap-2">
            <Button onClick={onClose}>{t`Cancelar`}</Button>
            <Button type="submit" look="primary" busy={change.isPending}>
              {t`Guardar y comprobar`}
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  )
}
