import { Plural, Trans, useLingui } from '@lingui/react/macro'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { evidenceRetire, type RetentionReport } from '@/api'
import { messageOf } from '@/session/messages'
import { Button } from '@/ui/button'
import { DateTime } from '@/ui/date-time'
import { Confirm } from '@/ui/dialog'
import { Section } from '@/ui/page'
import { toast } from '@/ui/toast'

const rowsOf = (report: RetentionReport) =>
  report.audit_entries + report.alerts + report.silences + report.counts

/** Delete what is older than it must be kept: counted first, deleted only when asked again. */
export function Retention() {
  const { t, i18n } = useLingui()
  const [asking, setAsking] = useState(false)
  const onError = (error: Error) => toast.error(i18n._(messageOf(error)))
  const count = useMutation({
    mutationFn: async () => (await evidenceRetire({ body: { dry_run: true } })).data,
    onError,
  })
  const retire = useMutation({
    mutationFn: async () => (await evidenceRetire({ body: { dry_run: false } })).data,
    onSuccess: (report) => toast.success(t`${rowsOf(report)} filas borradas`),
    onError,
    onSettled: () => {
      setAsking(false)
      count.reset()
    },
  })
  const report = count.data
  return (
    <Section
      title={t`Conservación`}
      description={t`Lo que pasó el plazo de SECURITY_RETENTION_DAYS. Las alertas abiertas y las instantáneas se quedan.`}
      actions={
        <Button size="sm" busy={count.isPending} onClick={() => count.mutate()}>
          {t`Contar`}
        </Button>
      }
    >
      {report && (
        <div className="flex flex-wrap items-center justify-between gap-3 text-sm">
          <p>
            <Plural
              value={rowsOf(report)}
              _0="Nada ha vencido."
              one="# fila ha vencido."
              other="# filas han vencido."
            />{' '}
            <span className="text-muted">
              <Trans>
                El plazo empieza el <DateTime at={report.before} />.
              </Trans>
            </span>
          </p>
          {rowsOf(report) > 0 && (
            <Button size="sm" look="danger" onClick={() => setAsking(true)}>
              {t`Borrarlas`}
            </Button>
          )}
        </div>
      )}
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => retire.mutate()}
        busy={retire.isPending}
        danger
        title={t`¿Borrar lo que venció?`}
        confirm={t`Borrar`}
      >
        {t`La auditoría se acorta por su principio y sigue demostrando el resto. No se puede deshacer.`}
      </Confirm>
    </Section>
  )
}
