import { useLingui } from '@lingui/react/macro'
import type { ReactNode } from 'react'
import type { AuditRecord } from '@/api'
import { exactTime } from '@/lib/format'
import { Drawer } from '@/ui/dialog'

/** One entry, whole: what it was before and after, and its link in the chain. */
export function Entry({ entry, onClose }: { entry: AuditRecord; onClose: () => void }) {
  const { t } = useLingui()
  return (
    <Drawer open onClose={onClose} title={entry.action} description={exactTime(entry.at)}>
      <dl className="grid grid-cols-[7rem_1fr] gap-x-3 gap-y-2 text-sm">
        <Line name={t`Quién`}>
          {[entry.actor_name, entry.actor_role && `(${entry.actor_role})`].filter(Boolean).join(' ') || '—'}
        </Line>
        {entry.api_key_id && <Line name={t`Con la clave`}>{entry.api_key_id}</Line>}
        <Line name={t`Dirección`}>{entry.address ?? '—'}</Line>
        <Line name={t`Sobre`}>{`${entry.target_kind} ${entry.target_id}`}</Line>
        <Line name={t`Número`}>{entry.sequence}</Line>
        <Line name={t`Huella`}>
          <code className="font-mono text-xs">{entry.hash}</code>
        </Line>
      </dl>
      <Values title={t`Antes`} value={entry.before} />
      <Values title={t`Después`} value={entry.after} />
    </Drawer>
  )
}

function Line({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-muted">{name}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </>
  )
}

function Values({ title, value }: { title: string; value: unknown }) {
  if (value === null || value === undefined) return null
  return (
    <section className="mt-4">
      <h3 className="mb-1 font-medium text-muted text-xs">{title}</h3>
      <pre className="overflow-x-auto whitespace-pre-wrap break-words rounded-lg bg-sunken p-3 font-mono text-xs">
        {JSON.stringify(value, null, 2)}
      </pre>
    </section>
  )
}
