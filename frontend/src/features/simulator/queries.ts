import { useQuery, useQueryClient } from '@tanstack/react-query'
import {
  type Conversation,
  type CustomerView,
  conversationsFind,
  type Message,
  messagesFind,
  type Turn,
  turnsFind,
} from '@/api'
import { useLive } from '@/live/live'

const KEY = ['simulator', 'trace']

/** The conversation that the business has with a simulated person; null before there is one. */
export function useConversation(person: CustomerView): Conversation | null {
  const queries = useQueryClient()
  const queryKey = [...KEY, 'conversation', person.id]
  const { data = null } = useQuery({ queryKey, queryFn: ({ signal }) => conversationWith(person, signal) })
  useLive(data ? null : 'conversations', () => void queries.invalidateQueries({ queryKey }))
  return data
}

async function conversationWith(person: CustomerView, signal: AbortSignal): Promise<Conversation | null> {
  const { data } = await conversationsFind({ query: { q: person.phone ?? person.name, limit: 20 }, signal })
  return (
    data.items.find(({ contact }) =>
      person.phone ? contact.phone === person.phone : contact.user_id === person.user_id,
    ) ?? null
  )
}

export type Trace = { turn: Turn; answers: Message[] }

/** The newest turn of a conversation with the messages of its answer, kept up to date; null while there is none. */
export function useTrace(conversationId: string): { trace: Trace | null; error: unknown } {
  const queries = useQueryClient()
  const queryKey = [...KEY, 'turn', conversationId]
  const { data = null, error } = useQuery({
    queryKey,
    queryFn: ({ signal }) => lastTurn(conversationId, signal),
  })
  useLive(`conversation:${conversationId}`, () => void queries.invalidateQueries({ queryKey }))
  return { trace: data, error }
}

async function lastTurn(conversation_id: string, signal: AbortSignal): Promise<Trace | null> {
  const path = { conversation_id }
  const [turns, messages] = await Promise.all([
    turnsFind({ path, query: { limit: 1 }, signal }),
    messagesFind({ path, query: { limit: 30 }, signal }),
  ])
  const turn = turns.data.items[0]
  if (!turn) return null
  const answers = messages.data.items.filter(
    (message) => message.turn_id === turn.id && message.author !== 'customer',
  )
  return { turn, answers: answers.reverse() }
}
