import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { channelsAdd } from '@/api'
import { channelsFindQueryKey } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { Button } from '@/ui/button'
import { ChannelCheck } from './channel-check'
import { toAdd } from './cloud-draft'
import { CloudFields, isAboutFields, NEW_NUMBER } from './cloud-fields'
import { WebhookData } from './webhook-data'

type AddNumberProps = {
  /** Stands beside the buttons: a way out. */
  onCancel?: () => void
  onDone: () => void
}

/** Adds a Cloud API number: its credentials, what to enter at Meta, and whether it works. */
export function AddNumber({ onCancel, onDone }: AddNumberProps) {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const [draft, setDraft] = useState(NEW_NUMBER)
  const add = useMutation({
    mutationFn: async () =>
      (await channelsAdd({ body: toAdd(draft, crypto.randomUUID().replaceAll('-', '')) })).data,
    onSuccess: () => queries.invalidateQueries({ queryKey: channelsFindQueryKey() }),
  })
  if (add.data) {
    return (
      <div className="flex flex-col gap-5">
        <section aria-label={t`Webhook`}>
          <WebhookData channelId={add.data.id} />
        </section>
        <section aria-label={t`Comprobación`} className="border-line border-t pt-4">
          <ChannelCheck channelId={add.data.id} atOnce />
        </section>
        <Button look="primary" className="self-end" onClick={onDone}>
          {t`Listo`}
        </Button>
      </div>
    )
  }
  return (
    <form
      className="flex flex-col gap-5"
      onSubmit={(event) => {
        event.preventDefault()
        add.mutate()
      }}
    >
      <CloudFields
        draft={draft}
        error={add.error}
        onChange={(part) => setDraft((before) => ({ ...before, ...part }))}
      />
      {add.error && !isAboutFields(add.error) && (
        <p role="alert" className="font-medium text-danger text-sm">
          {i18n._(messageOf(add.error))}
        </p>
      )}
      <div className="flex justify-end gap-2">
        {onCancel && <Button onClick={onCancel}>{t`Cancelar`}</Button>}
        <Button type="submit" look="primary" busy={add.isPending}>
          {t`Guardar y comprobar`}
        </Button>
      </div>
    </form>
  )
}
