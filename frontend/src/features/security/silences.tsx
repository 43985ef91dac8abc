import { Trans, useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { BellOff } from 'lucide-react'
import { useState } from 'react'
import { alertsLift, alertsSilence } from '@/api'
import {
  alertsOverviewQueryKey,
  alertsSilencesOptions,
  alertsSilencesQueryKey,
} from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { useCan } from '@/session/session'
import { Button } from '@/ui/button'
import { DateTime } from '@/ui/date-time'
import { Dialog } from '@/ui/dialog'
import { Field, Input } from '@/ui/field'
import { Section } from '@/ui/page'
import { Select } from '@/ui/select'
import { toast } from '@/ui/toast'
import { KINDS, type Kind } from './words'

/** What raises no alert for a while, by whom and why. It always ends. */
export function Silences() {
  const { t, i18n } = useLingui()
  const { data } = useSuspenseQuery(alertsSilencesOptions())
  const [adding, setAdding] = useState(false)
  const mayManage = useCan('security:manage')
  const refresh = useRefresh()
  const lift = useMutation({
    mutationFn: (silence_id: string) => alertsLift({ path: { silence_id } }),
    onError: (error) => toast.error(i18n._(messageOf(error))),
    onSettled: refresh,
  })
  return (
    <Section
      title={t`Silencios`}
      description={t`Cosas esperadas que no deben avisar. Todo silencio termina solo.`}
      actions={
        mayManage && (
          <Button size="sm" onClick={() => setAdding(true)}>
            <BellOff aria-hidden />
            {t`Callar`}
          </Button>
        )
      }
    >
      {data.items.length === 0 && <p className="text-muted text-sm">{t`Nada está callado.`}</p>}
      <ul className="divide-y divide-line">
        {data.items.map((silence) => (
          <li key={silence.id} className="flex items-center gap-3 py-2">
            <div className="min-w-0 flex-1">
              <p className="text-sm">{i18n._(KINDS[silence.fingerprint])}</p>
              <p className="truncate text-muted text-xs">
                <Trans>
                  {silence.created_by}: {silence.reason} · hasta{' '}
                  <DateTime at={silence.ends_at} look="brief" />
                </Trans>
              </p>
            </div>
            {mayManage && (
              <Button size="sm" disabled={lift.isPending} onClick={() => lift.mutate(silence.id)}>
                {t`Quitar`}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {adding && <AddSilence onClose={() => setAdding(false)} />}
    </Section>
  )
}

function useRefresh() {
  const queries = useQueryClient()
  return () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: alertsSilencesQueryKey() }),
      queries.invalidateQueries({ queryKey: alertsOverviewQueryKey() }),
    ])
}

type Minutes = '60' | '480' | '1440'

function AddSilence({ onClose }: { onClose: () => void }) {
  const { t, i18n } = useLingui()
  const [kind, setKind] = useState<Kind>('sign_in_failed')
  const [minutes, setMinutes] = useState<Minutes>('60')
  const [reason, setReason] = useState('')
  const refresh = useRefresh()
  const silence = useMutation({
    mutationFn: () =>
      alertsSilence({ body: { fingerprint: kind, silence_minutes: Number(minutes), reason } }),
    onSuccess: async () => {
      onClose()
      await refresh()
    },
  })
  return (
    <Dialog
      open
      onClose={onClose}
      title={t`Callar una alerta`}
      footer={
        <>
          <Button onClick={onClose}>{t`Cancelar`}</Button>
          <Button look="primary" type="submit" form="silence" busy={silence.isPending}>
            {t`Callar`}
          </Button>
        </>
      }
    >
      <form
        id="silence"
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          silence.mutate()
        }}
      >
        <Field label={t`Qué`}>
          <Select<Kind>
            value={kind}
            onChange={setKind}
            options={(Object.keys(KINDS) as Kind[]).map((value) => ({ value, label: i18n._(KINDS[value]) }))}
          />
        </Field>
        <Field label={t`Durante`}>
          <Select<Minutes>
            value={minutes}
            onChange={setMinutes}
            options={[
              { value: '60', label: t`Una hora` },
              { value: '480', label: t`Ocho horas` },
              { value: '1440', label: t`Un día` },
            ]}
          />
        </Field>
        <Field label={t`Por qué`} error={silence.error && i18n._(messageOf(silence.error))}>
          <Input
            required
            minLength={3}
            maxLength={500}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        </Field>
      </form>
    </Dialog>
  )
}
