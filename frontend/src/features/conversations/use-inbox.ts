import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useMemo, useSyncExternalStore } from 'react'
import { type Conversation, conversationsFind } from '@/api'
import { conversationsCountsQueryKey, conversationsShowOptions } from '@/api/@tanstack/react-query.gen'
import { useLive, useLiveStatus } from '@/live/live'
import { useMe } from '@/session/session'
import { belongs, type Filter, toQuery } from './filter'
import { InboxIndex } from './inbox-index'

const COUNTS_MS = 2000

/** The list for a filter, kept as news arrives while it is shown. */
export function useInbox(filter: Filter): InboxIndex {
  const queries = useQueryClient()
  const myId = useMe().user.id
  const wanted = JSON.stringify(toQuery(filter))
  // biome-ignore lint/correctness/useExhaustiveDependencies: `wanted` is all of the filter that the list depends on
  const index = useMemo(
    () =>
      new InboxIndex({
        page: async (cursor) =>
          (await conversationsFind({ query: { ...toQuery(filter), limit: 50, ...(cursor && { cursor }) } }))
            .data,
        one: (id) =>
          queries.fetchQuery({
            ...conversationsShowOptions({ path: { conversation_id: id } }),
            staleTime: 0,
          }),
        belongs: (conversation) => belongs(filter, conversation, myId),
      }),
    [wanted, myId, queries],
  )
  const isLive = useLiveStatus() === 'open'
  useEffect(() => {
    if (isLive || index.status === 'loading') void index.refresh() // at first, and after each time without news
  }, [index, isLive])
  useEffect(() => () => index.close(), [index])
  useLive('conversations', (event) => {
    if (event.conversation_id) index.touch(event.conversation_id)
    refreshCountsSoon(() => queries.invalidateQueries({ queryKey: conversationsCountsQueryKey() }))
  })
  return index
}

/** Many changes in a row are counted once. */
const countsSoon = { timer: undefined as ReturnType<typeof setTimeout> | undefined }

function refreshCountsSoon(refresh: () => unknown): void {
  countsSoon.timer ??= setTimeout(() => {
    countsSoon.timer = undefined
    refresh()
  }, COUNTS_MS)
}

const nothing = () => () => {}

export function useOrder(index: InboxIndex): readonly string[] {
  return useSyncExternalStore(index.watch, () => index.order)
}

/** Anything of the list besides its rows: state, error, how many wait. */
export function useIndexState<Value>(index: InboxIndex, read: (index: InboxIndex) => Value): Value {
  return useSyncExternalStore(index.watch, () => read(index))
}

export function useRow(index: InboxIndex, id: string | undefined): Conversation | undefined {
  return useSyncExternalStore(id ? (watcher) => index.watchRow(id, watcher) : nothing, () =>
    id ? index.get(id) : undefined,
  )
}

/** Take in a conversation that an action of ours has just changed. */
export function useApply(index: InboxIndex): (conversation: Conversation) => void {
  const queries = useQueryClient()
  return (conversation) => {
    queries.setQueryData(
      conversationsShowOptions({ path: { conversation_id: conversation.id } }).queryKey,
      conversation,
    )
    index.put(conversation)
    refreshCountsSoon(() => queries.invalidateQueries({ queryKey: conversationsCountsQueryKey() }))
  }
}
