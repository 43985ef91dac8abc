import { Trans, useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { ShieldCheck, TriangleAlert } from 'lucide-react'
import { useState } from 'react'
import { type Alert, alertsAcknowledge } from '@/api'
import { alertsOverviewQueryKey, alertsSilencesQueryKey } from '@/api/@tanstack/react-query.gen'
import { number } from '@/lib/format'
import { messageOf } from '@/session/messages'
import { useCan } from '@/session/session'
import { Badge } from '@/ui/badge'
import { Button } from '@/ui/button'
import { DateTime } from '@/ui/date-time'
import { Dialog } from '@/ui/dialog'
import { Field, Textarea } from '@/ui/field'
import { Section } from '@/ui/page'
import { Select } from '@/ui/select'
import { KINDS, REMEDIES } from './words'

/** The open alerts, each with what to do; a calm sentence when there are none. */
export function Alerts({ alerts }: { alerts: readonly Alert[] }) {
  const { t } = useLingui()
  if (alerts.length === 0) {
    return (
      <section className="mb-5 flex items-center gap-3 rounded-xl border border-line bg-surface p-4">
        <ShieldCheck aria-hidden className="size-6 shrink-0 text-accent" />
        <p className="font-medium">{t`Ninguna alerta abierta.`}</p>
      </section>
    )
  }
  return (
    <Section title={t`Alertas abiertas`}>
      <ul className="flex flex-col gap-3">
        {alerts.map((alert) => (
          <AlertRow key={alert.id} alert={alert} />
        ))}
      </ul>
    </Section>
  )
}

function AlertRow({ alert }: { alert: Alert }) {
  const { t, i18n } = useLingui()
  const [open, setOpen] = useState(false)
  const mayManage = useCan('security:manage')
  return (
    <li className="flex flex-wrap items-start gap-3 rounded-lg border border-danger/40 bg-danger-soft p-3">
      <TriangleAlert aria-hidden className="mt-0.5 size-5 shrink-0 text-danger" />
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-2 font-semibold">
          {i18n._(KINDS[alert.fingerprint])}
          {alert.severity === 'urgent' && <Badge tone="bad">{t`Urgente`}</Badge>}
        </p>
        <p className="text-sm">{i18n._(REMEDIES[alert.fingerprint])}</p>
        <p className="mt-1 text-xs">
          <Trans>
            {number(alert.number)} veces en {alert.window_minutes} minutos; el límite es{' '}
            {number(alert.threshold)}. La última, <DateTime at={alert.last_seen_at} look="relative" />.
          </Trans>
        </p>
        <Addresses addresses={alert.addresses} />
      </div>
      {mayManage && (
        <Button size="sm" onClick={() => setOpen(true)}>
          {t`Atendida`}
        </Button>
      )}
      {open && <Acknowledge alert={alert} onClose={() => setOpen(false)} />}
    </li>
  )
}

export function Addresses({ addresses }: { addresses: Record<string, number> }) {
  const found = Object.entries(addresses)
  if (found.length === 0) return null
  return (
    <p className="mt-1 flex flex-wrap gap-1">
      {found.map(([address, times]) => (
        <Badge key={address}>
          <span className="tabular">
            {address} × {number(times)}
          </span>
        </Badge>
      ))}
    </p>
  )
}

type Quiet = 'none' | '60' | '1440'

function Acknowledge({ alert, onClose }: { alert: Alert; onClose: () => void }) {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const [note, setNote] = useState('')
  const [quiet, setQuiet] = useState<Quiet>('none')
  const acknowledge = useMutation({
    mutationFn: () =>
      alertsAcknowledge({
        path: { alert_id: alert.id },
        body: { note, silence_minutes: quiet === 'none' ? null : Number(quiet) },
      }),
    onSuccess: async () => {
      onClose()
      await Promise.all([
        queries.invalidateQueries({ queryKey: alertsOverviewQueryKey() }),
        queries.invalidateQueries({ queryKey: alertsSilencesQueryKey() }),
      ])
    },
  })
  return (
    <Dialog
      open
      onClose={onClose}
      title={i18n._(KINDS[alert.fingerprint])}
      description={t`Queda en la auditoría quién la atendió y qué escribió.`}
      footer={
        <>
          <Button onClick={onClose}>{t`Cancelar`}</Button>
          <Button look="primary" busy={acknowledge.isPending} onClick={() => acknowledge.mutate()}>
            {t`Marcar como atendida`}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <Field label={t`Qué se hizo`} error={acknowledge.error && i18n._(messageOf(acknowledge.error))}>
          <Textarea value={note} maxLength={500} onChange={(event) => setNote(event.target.value)} />
        </Field>
        <Field label={t`Callar lo mismo`}>
          <Select<Quiet>
            value={quiet}
            onChange={setQuiet}
            options={[
              { value: 'none', label: t`No` },
              { value: '60', label: t`Una hora` },
              { value: '1440', label: t`Un día` },
            ]}
          />
        </Field>
      </div>
    </Dialog>
  )
}
