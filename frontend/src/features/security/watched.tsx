import { Trans, useLingui } from '@lingui/react/macro'
import type { Overview } from '@/api'
import { number } from '@/lib/format'
import { Badge } from '@/ui/badge'
import { DateTime } from '@/ui/date-time'
import { Section } from '@/ui/page'
import { type Column, Table } from '@/ui/table'
import { Addresses } from './alerts'
import { KINDS } from './words'

type Row = Overview['watched'][number]

/** How often each thing happened in the window that ends now, beside how often is too often. */
export function Watched({ overview }: { overview: Overview }) {
  const { t, i18n } = useLingui()
  const columns: Column<Row>[] = [
    {
      id: 'kind',
      head: t`Qué`,
      cell: (row) => <span className="font-medium">{i18n._(KINDS[row.kind])}</span>,
    },
    { id: 'number', head: t`Ahora`, numeric: true, cell: (row) => number(row.number) },
    { id: 'threshold', head: t`Demasiado`, numeric: true, cell: (row) => number(row.threshold) },
    { id: 'from', head: t`Direcciones`, cell: (row) => <Addresses addresses={row.addresses} /> },
    { id: 'state', head: t`Estado`, cell: (row) => <State row={row} /> },
  ]
  return (
    <Section
      title={t`Lo que se vigila`}
      description={t`En los últimos ${overview.window_minutes} minutos, en todos los procesos.`}
    >
      <Table
        label={t`Lo que se vigila`}
        columns={columns}
        rows={overview.watched}
        rowKey={(row) => row.kind}
      />
    </Section>
  )
}

function State({ row }: { row: Row }) {
  const { t } = useLingui()
  if (row.silenced_until) {
    return (
      <Badge tone="warn">
        <Trans>
          Callada hasta <DateTime at={row.silenced_until} look="brief" />
        </Trans>
      </Badge>
    )
  }
  return row.number >= row.threshold ? (
    <Badge tone="bad">{t`Demasiado`}</Badge>
  ) : (
    <Badge tone="good">{t`Normal`}</Badge>
  )
}
