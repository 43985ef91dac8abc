import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { Camera, FileCheck } from 'lucide-react'
import { useRef, useState } from 'react'
import { snapshotsSnapshot, snapshotsTake, snapshotsVerify } from '@/api'
import { snapshotsSnapshotsOptions, snapshotsSnapshotsQueryKey } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { useCan } from '@/session/session'
import { Button } from '@/ui/button'
import { DateTime } from '@/ui/date-time'
import { Dialog } from '@/ui/dialog'
import { Field, Input } from '@/ui/field'
import { Section } from '@/ui/page'
import { toast } from '@/ui/toast'
import { saved } from './save-file'

/** Signed documents of what stood at a moment, to be handed on and shown to be ours. */
export function Snapshots() {
  const { t, i18n } = useLingui()
  const { data } = useSuspenseQuery(snapshotsSnapshotsOptions())
  const [taking, setTaking] = useState(false)
  const mayManage = useCan('security:manage')
  const download = useMutation({
    mutationFn: async (snapshot_id: string) => (await snapshotsSnapshot({ path: { snapshot_id } })).data,
    onSuccess: (document, id) => saved(`mostrador-${id}.json`, JSON.stringify(document, null, 2)),
    onError: (error) => toast.error(i18n._(messageOf(error))),
  })
  return (
    <Section
      title={t`Instantáneas firmadas`}
      description={t`Para entregar a quien investigue: si alguien cambia una letra, se nota.`}
      actions={
        <div className="flex flex-wrap gap-2">
          {mayManage && <Verify />}
          {mayManage && (
            <Button size="sm" look="primary" onClick={() => setTaking(true)}>
              <Camera aria-hidden />
              {t`Tomar`}
            </Button>
          )}
        </div>
      }
    >
      {data.items.length === 0 && <p className="text-muted text-sm">{t`Todavía no se tomó ninguna.`}</p>}
      <ul className="divide-y divide-line">
        {data.items.map((snapshot) => (
          <li key={snapshot.id} className="flex items-center gap-3 py-2">
            <div className="min-w-0 flex-1">
              <p className="text-sm">
                <DateTime at={snapshot.created_at} />
              </p>
              <p className="truncate text-muted text-xs">{snapshot.created_by}</p>
            </div>
            <Button size="sm" disabled={download.isPending} onClick={() => download.mutate(snapshot.id)}>
              {t`Descargar`}
            </Button>
          </li>
        ))}
      </ul>
      {taking && <Take onClose={() => setTaking(false)} />}
    </Section>
  )
}

function Take({ onClose }: { onClose: () => void }) {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const [reason, setReason] = useState('')
  const take = useMutation({
    mutationFn: () => snapshotsTake({ body: { reason } }),
    onSuccess: async () => {
      onClose()
      await queries.invalidateQueries({ queryKey: snapshotsSnapshotsQueryKey() })
    },
  })
  return (
    <Dialog
      open
      onClose={onClose}
      title={t`Tomar una instantánea`}
      description={t`Recoge alertas, silencios, sesiones y el final de la auditoría, y lo firma.`}
      footer={
        <>
          <Button onClick={onClose}>{t`Cancelar`}</Button>
          <Button look="primary" type="submit" form="snapshot" busy={take.isPending}>
            {t`Tomar y firmar`}
          </Button>
        </>
      }
    >
      <form
        id="snapshot"
        onSubmit={(event) => {
          event.preventDefault()
          take.mutate()
        }}
      >
        <Field label={t`Por qué`} error={take.error && i18n._(messageOf(take.error))}>
          <Input
            required
            maxLength={500}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        </Field>
      </form>
    </Dialog>
  )
}

/** Take a file as it was received, and say whether it is what was signed here. */
function Verify() {
  const { t, i18n } = useLingui()
  const input = useRef<HTMLInputElement>(null)
  const verify = useMutation({
    mutationFn: async (file: File) => (await snapshotsVerify({ body: JSON.parse(await file.text()) })).data,
    onSuccess: ({ valid, reason }) =>
      valid
        ? toast.success(t`La firma es nuestra y nada cambió`)
        : toast.error(t`No es lo que se firmó aquí`, { detail: reason ?? undefined }),
    onError: (error) =>
      toast.error(
        error instanceof SyntaxError ? t`Ese archivo no es una instantánea` : i18n._(messageOf(error)),
      ),
  })
  return (
    <>
      <input
        ref={input}
        type="file"
        accept="application/json"
        hidden
        aria-hidden
        onChange={(event) => {
          const file = event.target.files?.[0]
          if (file) verify.mutate(file)
          event.target.value = ''
        }}
      />
      <Button size="sm" busy={verify.isPending} onClick={() => input.current?.click()}>
        <FileCheck aria-hidden />
        {t`Comprobar`}
      </Button>
    </>
  )
}
