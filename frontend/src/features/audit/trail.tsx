import { useLingui } from '@lingui/react/macro'
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { Download, ScrollText } from 'lucide-react'
import { useState } from 'react'
import { type AuditRecord, auditEntries } from '@/api'
import { Badge } from '@/ui/badge'
import { DateTime } from '@/ui/date-time'
import { EmptyState } from '@/ui/empty-state'
import { ErrorPane } from '@/ui/error-pane'
import { Field, Input } from '@/ui/field'
import { LoadMore } from '@/ui/load-more'
import { Page } from '@/ui/page'
import { Select } from '@/ui/select'
import { Skeleton } from '@/ui/skeleton'
import { type Column, Table } from '@/ui/table'
import { Entry } from './entry'

type Outcome = AuditRecord['outcome']
type AuditFilter = { action?: string; outcome?: Outcome; since?: string; until?: string }

type Props = { filter: AuditFilter; onFilter: (filter: AuditFilter) => void }

/** Who did what and when: the tamper-evident trail, newest first. */
export function AuditTrail({ filter, onFilter }: Props) {
  const { t } = useLingui()
  const [shown, setShown] = useState<AuditRecord | null>(null)
  const query = queryOf(filter)
  const list = useInfiniteQuery({
    queryKey: ['audit', query],
    queryFn: async ({ pageParam, signal }) =>
      (await auditEntries({ query: { ...query, limit: 50, before_sequence: pageParam }, signal })).data,
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next_before,
    placeholderData: keepPreviousData,
  })
  const rows = list.data?.pages.flatMap((page) => page.items) ?? []
  const columns: Column<AuditRecord>[] = [
    { id: 'at', head: t`Cuándo`, cell: (entry) => <DateTime at={entry.at} /> },
    { id: 'actor', head: t`Quién`, cell: (entry) => entry.actor_name ?? <Nobody entry={entry} /> },
    {
      id: 'action',
      head: t`Qué`,
      cell: (entry) => (
        <button
          type="button"
          onClick={() => setShown(entry)}
          className="rounded text-left font-mono text-accent text-xs underline-offset-2 hover:underline max-md:min-h-11"
        >
          {entry.action}
        </button>
      ),
    },
    {
      id: 'target',
      head: t`Sobre`,
      cell: (entry) => (
        <span className="block max-w-56 truncate text-muted text-xs">
          {entry.target_kind} {entry.target_id}
        </span>
      ),
    },
    {
      id: 'outcome',
      head: t`Resultado`,
      cell: (entry) =>
        entry.outcome === 'ok' ? (
          <Badge tone="good">{t`Hecho`}</Badge>
        ) : (
          <Badge tone="bad">{t`Rechazado`}</Badge>
        ),
    },
    {
      id: 'address',
      head: t`Dirección`,
      cell: (entry) => <span className="tabular text-xs">{entry.address}</span>,
    },
  ]
  return (
    <Page
      wide
      title={t`Auditoría`}
      description={t`Cada cambio, con quién lo hizo y desde dónde. Nada de aquí se puede borrar sin que se note.`}
      actions={
        <a
          href={`/api/audit/export?${new URLSearchParams(query)}`}
          download
          className="inline-flex h-8.5 items-center gap-1.5 rounded-md border border-line bg-raised px-3.5 font-medium text-[0.87rem] hover:border-line-strong hover:bg-sunken max-md:h-11"
        >
          <Download aria-hidden className="size-4" />
          {t`Exportar`}
        </a>
      }
    >
      <Filters filter={filter} onFilter={onFilter} />
      {list.isPending && <Skeleton className="h-64" />}
      {list.error && <ErrorPane error={list.error} retry={() => void list.refetch()} />}
      {list.data && rows.length === 0 && (
        <EmptyState icon={<ScrollText aria-hidden />} title={t`Nada coincide`}>
          {t`Prueba con otra acción u otras fechas.`}
        </EmptyState>
      )}
      {rows.length > 0 && (
        <Table label={t`Auditoría`} columns={columns} rows={rows} rowKey={(entry) => entry.id} />
      )}
      <LoadMore query={list} />
      {shown && <Entry entry={shown} onClose={() => setShown(null)} />}
    </Page>
  )
}

/** What the server is asked: whole days of this computer become moments. */
function queryOf(filter: AuditFilter): Record<string, string> {
  const query: Record<string, string> = {}
  if (filter.action) query.action = filter.action
  if (filter.outcome) query.outcome = filter.outcome
  if (filter.since) query.since = new Date(`${filter.since}T00:00:00`).toISOString()
  if (filter.until) query.until = new Date(`${filter.until}T23:59:59.999`).toISOString()
  return query
}

function Nobody({ entry }: { entry: AuditRecord }) {
  const { t } = useLingui()
  return <span className="text-muted">{entry.address ? t`Desconocido` : t`El sistema`}</span>
}

function Filters({ filter, onFilter }: Props) {
  const { t } = useLingui()
  const change = (part: AuditFilter) => onFilter({ ...filter, ...part })
  return (
    <div className="mb-4 grid gap-3 sm:grid-cols-2 lg:grid-cols-4">
      <Field label={t`Acción`}>
        <Input
          key={filter.action}
          type="search"
          defaultValue={filter.action ?? ''}
          placeholder="channel."
          onKeyDown={(event) =>
            event.key === 'Enter' && change({ action: event.currentTarget.value || undefined })
          }
          onBlur={(event) => change({ action: event.currentTarget.value || undefined })}
        />
      </Field>
      <Field label={t`Resultado`}>
        <Select<Outcome | 'all'>
          value={filter.outcome ?? 'all'}
          onChange={(value) => change({ outcome: value === 'all' ? undefined : value })}
          options={[
            { value: 'all', label: t`Todos` },
            { value: 'ok', label: t`Hecho` },
            { value: 'refused', label: t`Rechazado` },
          ]}
        />
      </Field>
      <Field label={t`Desde el`}>
        <Input
          type="date"
          value={filter.since ?? ''}
          onChange={(event) => change({ since: event.target.value || undefined })}
        />
      </Field>
      <Field label={t`Hasta el`}>
        <Input
          type="date"
          value={filter.until ?? ''}
          onChange={(event) => change({ until: event.target.value || undefined })}
        />
      </Field>
    </div>
  )
}
