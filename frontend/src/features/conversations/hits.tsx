import { useLingui } from '@lingui/react/macro'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { MessageHit } from '@/api'
import { searchFindInfiniteOptions } from '@/api/@tanstack/react-query.gen'
import { Button } from '@/ui/button'
import { DateTime } from '@/ui/date-time'
import type { Filter } from './filter'
import { nameOf } from './row'

const FEWEST_LETTERS = 2

/** The messages in which what is searched for stands, the newest first; each opens at its place in the thread. */
export function Hits({ filter }: { filter: Filter }) {
  const { t } = useLingui()
  const q = filter.q ?? ''
  const { data, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    ...searchFindInfiniteOptions({ query: { q, limit: 20 } }),
    enabled: q.length >= FEWEST_LETTERS,
    initialPageParam: { query: { q } },
    getNextPageParam: (page) => page.next_cursor,
  })
  const hits = data?.pages.flatMap((page) => page.items) ?? []
  if (q.length < FEWEST_LETTERS || !data) return null
  return (
    <section aria-label={t`Mensajes que lo dicen`} className="border-line border-t-4">
      <h2 className="px-3 pt-3 pb-1 font-semibold text-muted text-xs">{t`Mensajes que lo dicen`}</h2>
      {hits.length === 0 && <p className="px-3 pb-4 text-muted text-sm">{t`Ninguno.`}</p>}
      <ul>
        {hits.map((hit) => (
          <li key={hit.message.id}>
            <Hit hit={hit} filter={filter} />
          </li>
        ))}
      </ul>
      {hasNextPage && (
        <div className="p-3 text-center">
          <Button size="sm" busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            {t`Ver más`}
          </Button>
        </div>
      )}
    </section>
  )
}

function Hit({ hit, filter }: { hit: MessageHit; filter: Filter }) {
  return (
    <Link
      to="/inbox/$conversationId"
      params={{ conversationId: hit.conversation.id }}
      search={{ ...filter, message: hit.message.id }}
      className="block border-line border-b px-3 py-2 hover:bg-sunken/60"
    >
      <span className="flex items-baseline justify-between gap-3">
        <span className="truncate font-medium text-[0.87rem]">{nameOf(hit.conversation.contact)}</span>
        <span className="shrink-0 text-muted text-xs">
          <DateTime at={hit.message.sent_at} look="brief" />
        </span>
      </span>
      <span className="line-clamp-2 text-[0.85rem] text-muted">
        {hit.snippet.map((part, place) =>
          part.marked ? (
            // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a snippet never move
            <mark key={place} className="rounded bg-warn-soft px-0.5 text-ink">
              {part.text}
            </mark>
          ) : (
            part.text
          ),
        )}
      </span>
    </Link>
  )
}
