import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { ShieldCheck } from 'lucide-react'
import { Suspense, useState } from 'react'
import { proofProve } from '@/api'
import { proofInvariantsQueryKey } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { Button } from '@/ui/button'
import { Pane } from '@/ui/error-pane'
import { Page } from '@/ui/page'
import { SkeletonRows } from '@/ui/skeleton'
import { toast } from '@/ui/toast'
import { Invariants } from './invariants'
import { Counted, LedgerSheet } from './ledger-sheet'
import { spanOf } from './period'
import { PeriodPicker } from './period-picker'
import { Verdict } from './verdict'

/** What became of every message, and a button that proves it from the rows and the stored webhooks. */
export function Proof() {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const chosen = useSearch({ from: '/_app/proof' })
  const navigate = useNavigate({ from: '/proof' })
  const [now, setNow] = useState(() => new Date())
  const span = spanOf(chosen, now)
  const prove = useMutation({
    mutationFn: async () => (await proofProve({ body: spanOf(chosen, new Date()) ?? {} })).data,
    onSuccess: () => queries.invalidateQueries({ queryKey: proofInvariantsQueryKey() }),
    onError: (error) => toast.error(i18n._(messageOf(error))),
  })
  return (
    <Page
      wide
      title={t`Prueba de entrega`}
      description={t`Cada mensaje que escribió un cliente, y qué fue de él. Las cuentas tienen que cuadrar.`}
      actions={
        <Button look="primary" busy={prove.isPending} disabled={!span} onClick={() => prove.mutate()}>
          {!prove.isPending && <ShieldCheck aria-hidden />}
          {t`Demostrarlo ahora`}
        </Button>
      }
    >
      <PeriodPicker
        chosen={chosen}
        onChange={(next) => {
          setNow(new Date())
          prove.reset()
          void navigate({ search: next, replace: true })
        }}
      />
      <div aria-live="polite">{prove.data && <Verdict proof={prove.data} />}</div>
      {prove.data ? (
        <LedgerSheet ledger={prove.data.ledger} />
      ) : (
        span && (
          <Pane resetKey={span.since}>
            <Suspense fallback={<SkeletonRows />}>
              <Counted span={span} />
            </Suspense>
          </Pane>
        )
      )}
      <Pane>
        <Suspense fallback={<SkeletonRows />}>
          <Invariants />
        </Suspense>
      </Pane>
    </Page>
  )
}
