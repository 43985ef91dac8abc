import type { Conversation, ConversationsFindData } from '@/api'

export const VIEWS = ['open', 'mine', 'unassigned', 'attention', 'unread', 'closed'] as const
export type View = (typeof VIEWS)[number]

const CONTROLS = ['bot', 'person', 'nobody'] as const
type Control = Conversation['control']

/** What is chosen in the inbox, as it stands in the address; what is not chosen is not there. */
export type Filter = { view?: View; control?: Control; channel?: string; q?: string; message?: string }

export function readFilter(search: Record<string, unknown>): Filter {
  const filter: Filter = {}
  const view = VIEWS.find((one) => one === search.view)
  if (view && view !== 'open') filter.view = view
  const control = CONTROLS.find((one) => one === search.control)
  if (control) filter.control = control
  if (typeof search.channel === 'string' && search.channel) filter.channel = search.channel
  const q = typeof search.q === 'string' || typeof search.q === 'number' ? String(search.q).trim() : ''
  if (q) filter.q = q.slice(0, 100)
  if (typeof search.message === 'string' && search.message) filter.message = search.message
  return filter
}

export function toQuery(filter: Filter): NonNullable<ConversationsFindData['query']> {
  const { view = 'open', control, channel, q } = filter
  return {
    status: view === 'closed' ? 'closed' : 'open',
    ...(view === 'mine' && { assignee: 'me' }),
    ...(view === 'unassigned' && { assignee: 'nobody' }),
    ...(view === 'attention' && { attention: true }),
    ...(view === 'unread' && { unread: true }),
    ...(control && { control }),
    ...(channel && { channel_id: channel }),
    ...(q && { q }),
  }
}

/** Whether a conversation that has changed belongs to the list. What is searched for only the server can tell: null. */
export function belongs(filter: Filter, conversation: Conversation, myId: string): boolean | null {
  const { view = 'open', control, channel, q } = filter
  if (conversation.status !== (view === 'closed' ? 'closed' : 'open')) return false
  if (view === 'mine' && conversation.assignee?.id !== myId) return false
  if (view === 'unassigned' && conversation.assignee !== null) return false
  if (view === 'attention' && conversation.attention === null) return false
  if (view === 'unread' && conversation.unread === 0) return false
  if (control && conversation.control !== control) return false
  if (channel && conversation.channel_id !== channel) return false
  return q ? null : true
}
