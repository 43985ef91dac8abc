import { useLingui } from '@lingui/react/macro'
import type { Process } from '@/api'
import { Badge } from '@/ui/badge'
import { DateTime } from '@/ui/date-time'
import { Section } from '@/ui/page'
import { Table } from '@/ui/table'
import { PROCESSES } from './words'

/** The processes heard of within the last day. */
export function Processes({ processes }: { processes: readonly Process[] }) {
  const { t, i18n } = useLingui()
  return (
    <Section
      title={t`Procesos`}
      description={t`Los que dieron señales en el último día. Uno que calla 30 segundos se da por caído.`}
    >
      <Table
        label={t`Procesos`}
        rows={processes}
        rowKey={(one) => one.id}
        columns={[
          {
            id: 'kind',
            head: t`Proceso`,
            cell: (one) => <span className="font-medium">{i18n._(PROCESSES[one.kind])}</span>,
          },
          {
            id: 'alive',
            head: t`Estado`,
            cell: (one) =>
              one.alive ? <Badge tone="good">{t`En marcha`}</Badge> : <Badge tone="bad">{t`Caído`}</Badge>,
          },
          {
            id: 'where',
            head: t`Dónde`,
            cell: (one) => (
              <code className="font-mono text-xs [overflow-wrap:anywhere]">
                {one.host}:{one.pid}
              </code>
            ),
          },
          { id: 'version', head: t`Versión`, cell: (one) => one.version },
          {
            id: 'started',
            head: t`Arrancó`,
            cell: (one) => <DateTime at={one.started_at} look="relative" />,
          },
          { id: 'beat', head: t`Última señal`, cell: (one) => <DateTime at={one.beat_at} look="relative" /> },
        ]}
      />
    </Section>
  )
}
