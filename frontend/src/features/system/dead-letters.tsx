import { useLingui } from '@lingui/react/macro'
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { PackageCheck } from 'lucide-react'
import { useState } from 'react'
import { type DeadLetter, operationsDeadLetters } from '@/api'
import { EmptyState } from '@/ui/empty-state'
import { ErrorPane } from '@/ui/error-pane'
import { LoadMore } from '@/ui/load-more'
import { Select } from '@/ui/select'
import { SkeletonRows } from '@/ui/skeleton'
import { DeadLetterRow } from './dead-letter-row'
import { Discard } from './discard'
import { DEAD_LETTERS } from './queries'
import { RawWebhook } from './raw-webhook'
import { LETTERS, type LetterKind } from './words'

const FRESH_MS = 10_000
const KINDS = Object.keys(LETTERS) as LetterKind[]

/** What was given up and waits for a person: try it again, put it away, look at what came. */
export function DeadLetters() {
  const { t, i18n } = useLingui()
  const [kind, setKind] = useState<LetterKind | 'all'>('all')
  const [discarded, setDiscarded] = useState<DeadLetter | null>(null)
  const [shown, setShown] = useState<string | null>(null)
  const list = useInfiniteQuery({
    queryKey: [...DEAD_LETTERS, kind],
    queryFn: async ({ pageParam, signal }) =>
      (
        await operationsDeadLetters({
          query: { kind: kind === 'all' ? null : kind, cursor: pageParam },
          signal,
        })
      ).data,
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
    refetchInterval: FRESH_MS,
  })
  const letters = list.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center justify-between gap-3">
        <p className="max-w-2xl text-muted text-sm">
          {t`Lo que el servidor dejó de intentar. No se pierde: reinténtalo cuando la causa esté arreglada, o descártalo con un motivo.`}
        </p>
        <Select
          label={t`Tipo`}
          className="w-56"
          value={kind}
          onChange={setKind}
          options={[
            { value: 'all', label: t`De todo tipo` },
            ...KINDS.map((one) => ({ value: one, label: i18n._(LETTERS[one].plural) })),
          ]}
        />
      </div>
      {list.isPending && <SkeletonRows />}
      {list.error && <ErrorPane error={list.error} retry={() => void list.refetch()} />}
      {list.data && letters.length === 0 && (
        <EmptyState icon={<PackageCheck aria-hidden />} title={t`No hay nada apartado`}>
          {t`Todo lo que llegó se procesó, y todo lo que salió llegó o espera su momento.`}
        </EmptyState>
      )}
      <ul aria-label={t`Apartados`} className="flex flex-col gap-2">
        {letters.map((letter) => (
          <DeadLetterRow
            key={letter.kind + letter.id}
            letter={letter}
            onDiscard={() => setDiscarded(letter)}
            onShow={letter.kind === 'webhook' ? () => setShown(letter.id) : undefined}
          />
        ))}
      </ul>
      <LoadMore query={list} />
      {discarded && <Discard letter={discarded} onClose={() => setDiscarded(null)} />}
      {shown && <RawWebhook id={shown} onClose={() => setShown(null)} />}
    </>
  )
}
