import { useLingui } from '@lingui/react/macro'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { webSessionsAdd, webSessionsStart } from '@/api'
import { webSessionsFindQueryKey, webSessionsNoticeOptions } from '@/api/@tanstack/react-query.gen'
import { locale } from '@/lib/i18n'
import { messageOf } from '@/session/messages'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { ErrorPane } from '@/ui/error-pane'
import { Field, Input } from '@/ui/field'
import { Skeleton } from '@/ui/skeleton'

/** Adds a phone to be linked, once its risks were read and accepted, and starts it. */
export function AddPhone({ onClose }: { onClose: () => void }) {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const [name, setName] = useState('')
  const [isAccepted, setAccepted] = useState(false)
  const notice = useQuery(webSessionsNoticeOptions())
  const add = useMutation({
    mutationFn: async (consent_version: string) => {
      const { data } = await webSessionsAdd({ body: { name: name.trim(), consent_version } })
      await webSessionsStart({ path: { channel_id: data.id } })
    },
    onSuccess: onClose,
    onSettled: () => queries.invalidateQueries({ queryKey: webSessionsFindQueryKey() }),
  })
  const text = notice.data?.texts[locale().slice(0, 2)] ?? notice.data?.texts.en
  return (
    <Dialog open onClose={onClose} title={t`Vincular un teléfono`}>
      {notice.error ? (
        <ErrorPane error={notice.error} retry={() => void notice.refetch()} />
      ) : notice.data ? (
        <form
          className="flex flex-col gap-4"
          onSubmit={(event) => {
            event.preventDefault()
            if (notice.data) add.mutate(notice.data.version)
          }}
        >
          <p className="rounded-lg bg-warn-soft p-3 text-sm text-warn">{text}</p>
          <label className="flex items-start gap-2.5 text-sm">
            <input
              type="checkbox"
              required
              checked={isAccepted}
              onChange={(event) => setAccepted(event.target.checked)}
              className="mt-0.5 size-5 shrink-0 accent-(--accent)"
            />
            {t`Lo leí y acepto el riesgo.`}
          </label>
          <Field label={t`Nombre`} error={add.error && i18n._(messageOf(add.error))}>
            <Input
              required
              maxLength={100}
              value={name}
              onChange={(event) => setName(event.target.value)}
              placeholder={t`Teléfono del mostrador`}
            />
          </Field>
          <div className="flex justify-end gap-2">
            <Button onClick={onClose}>{t`Cancelar`}</Button>
            <Button type="submit" look="primary" disabled={!isAccepted} busy={add.isPending}>
              {t`Aceptar y vincular`}
            </Button>
          </div>
        </form>
      ) : (
        <Skeleton className="h-48" />
      )}
    </Dialog>
  )
}
