import { type QueryClient, queryOptions } from '@tanstack/react-query'
import { type Message, messagesFind } from '@/api'

/** What is loaded of a thread, oldest first; `cursor` continues into the past. */
export type Thread = { messages: Message[]; cursor: string | null }

const key = (conversationId: string) => ['thread', conversationId] as const

/** The newest messages; what was loaded before them stays. */
export const threadOptions = (queries: QueryClient, conversationId: string) =>
  queryOptions({
    queryKey: key(conversationId),
    queryFn: async ({ signal }): Promise<Thread> => {
      const { data } = await messagesFind({
        path: { conversation_id: conversationId },
        query: { raw: true, limit: 50 },
        signal,
      })
      return withNewest(queries.getQueryData<Thread>(key(conversationId)), {
        messages: data.items.toReversed(),
        cursor: data.next_cursor ?? null,
      })
    },
  })

/** Join a fresh newest page to what is known; a gap between the two forgets the older part. */
export function withNewest(known: Thread | undefined, newest: Thread): Thread {
  const first = newest.messages[0]
  if (!known || !first || !known.messages.some((one) => one.id === first.id)) return newest
  const older = known.messages.filter((one) => one.id < first.id)
  return { messages: [...older, ...newest.messages], cursor: older.length > 0 ? known.cursor : newest.cursor }
}

const MOST_PAGES = 40

/** Load the past until a message is there: what was found by a search opens at its place. */
export async function loadUntil(
  queries: QueryClient,
  conversationId: string,
  messageId: string,
): Promise<void> {
  for (let page = 0; page < MOST_PAGES; page++) {
    const known = queries.getQueryData<Thread>(key(conversationId))
    if (!known?.cursor || known.messages.some((one) => one.id === messageId)) return
    await loadOlder(queries, conversationId, 100)
  }
}

export async function loadOlder(queries: QueryClient, conversationId: string, limit = 50): Promise<void> {
  const known = queries.getQueryData<Thread>(key(conversationId))
  if (!known?.cursor) return
  const { data } = await messagesFind({
    path: { conversation_id: conversationId },
    query: { raw: true, limit, cursor: known.cursor },
  })
  queries.setQueryData<Thread>(key(conversationId), (now) => {
    if (!now || now.cursor !== known.cursor) return now
    return { messages: [...data.items.toReversed(), ...now.messages], cursor: data.next_cursor ?? null }
  })
}

/** Take in a message that was just written, in its place. */
export function addMessage(queries: QueryClient, message: Message): void {
  queries.setQueryData<Thread>(key(message.conversation_id), (now) => {
    if (!now) return now
    const others = now.messages.filter((one) => one.id !== message.id)
    return { ...now, messages: [...others, message].sort((one, other) => (one.id < other.id ? -1 : 1)) }
  })
}

/** Fetch the newest messages again. */
export const refreshThread = (queries: QueryClient, conversationId: string) =>
  queries.invalidateQueries({ queryKey: key(conversationId) })
