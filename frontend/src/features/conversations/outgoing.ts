import { useQueryClient } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'
import { type Message, messagesWrite, type NewMessage } from '@/api'
import { Offline } from '@/session/problem'
import { addMessage } from './thread'

/** A message on its way to the server; `id` is also its idempotency key, so trying again never sends it twice. */
export type Outgoing = {
  id: string
  conversationId: string
  body: NewMessage
  text: string
  at: string
  state: 'sending' | 'waiting' | 'failed'
  error: unknown
}

let list: readonly Outgoing[] = []
const watchers = new Set<() => void>()

function set(next: readonly Outgoing[]): void {
  list = next
  for (const watcher of watchers) watcher()
}

const change = (id: string, to: Partial<Outgoing>) =>
  set(list.map((one) => (one.id === id ? { ...one, ...to } : one)))
const remove = (id: string) => set(list.filter((one) => one.id !== id))

export function useOutgoing(conversationId: string): Outgoing[] {
  const all = useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
    () => list,
  )
  return all.filter((one) => one.conversationId === conversationId)
}

/** How to write into a conversation: shown at once, sent once, kept while the connection is away. */
export function useSend(): {
  send: (conversationId: string, body: NewMessage, text: string) => void
  again: (outgoing: Outgoing) => void
  discard: (id: string) => void
} {
  const queries = useQueryClient()
  const attempt = async (outgoing: Outgoing) => {
    change(outgoing.id, { state: 'sending', error: null })
    try {
      const { data } = await messagesWrite({
        path: { conversation_id: outgoing.conversationId },
        body: outgoing.body,
        headers: { 'Idempotency-Key': outgoing.id },
      })
      remove(outgoing.id)
      addMessage(queries, data)
    } catch (error) {
      if (!(error instanceof Offline)) return change(outgoing.id, { state: 'failed', error })
      change(outgoing.id, { state: 'waiting', error })
      window.addEventListener('online', () => void attempt(outgoing), { once: true })
    }
  }
  return {
    send: (conversationId, body, text) => {
      const at = new Date().toISOString()
      const outgoing: Outgoing = {
        id: crypto.randomUUID(),
        conversationId,
        body,
        text,
        at,
        state: 'sending',
        error: null,
      }
      set([...list, outgoing])
      void attempt(outgoing)
    },
    again: (outgoing) => void attempt(outgoing),
    discard: remove,
  }
}

/** Those that the thread does not hold yet: the live hint may be faster than the answer to our own request. */
export function notArrived(outgoing: Outgoing[], messages: Message[]): Outgoing[] {
  const taken = new Set<string>()
  return outgoing.filter((one) => {
    if (one.state !== 'sending') return true
    const twin = messages.find(
      (message) =>
        !taken.has(message.id) &&
        message.author === 'person' &&
        message.text === one.text &&
        message.sent_at >= one.at,
    )
    if (twin) taken.add(twin.id)
    return !twin
  })
}
