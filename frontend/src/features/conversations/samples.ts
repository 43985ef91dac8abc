import type { Conversation, Message, Note, Turn } from '@/api'

// Complete things for tests; each says only what it is about.

export const conversation = (part: Partial<Conversation> = {}): Conversation => ({
  id: 'c1',
  channel_id: 'ch1',
  contact: { id: 'p1', name: 'Ana García', phone: '5491155550000', user_id: null, approved: false },
  status: 'open',
  closed_at: null,
  close_reason: null,
  assignee: null,
  control: 'bot',
  control_version: 1,
  held_by: null,
  held_by_name: null,
  attention: null,
  unread: 0,
  last_message_at: '2026-11-28T12:00:00Z',
  last_message: null,
  window_closes_at: null,
  ...part,
})

export const message = (part: Partial<Message> = {}): Message => ({
  id: '01',
  conversation_id: 'c1',
  author: 'customer',
  kind: 'text',
  text: 'Hola',
  sent_at: '2026-11-28T12:00:00Z',
  wamid: null,
  reply_to: null,
  turn_id: null,
  written_by: null,
  media: null,
  delivery: null,
  payload: null,
  ...part,
})

export const note = (part: Partial<Note> = {}): Note => ({
  id: '02',
  author: { id: 'u1', name: 'Marta' },
  text: 'Ojo',
  created_at: '2026-11-28T12:00:00Z',
  ...part,
})

export const turn = (part: Partial<Turn> = {}): Turn => ({
  id: 't1',
  conversation_id: 'c1',
  state: 'done',
  reason: null,
  opened_at: '2026-11-28T12:00:00Z',
  due_at: '2026-11-28T12:00:00Z',
  claimed_at: null,
  answered_at: null,
  ended_at: null,
  restarts: 0,
  failures: 0,
  superseded_by: null,
  inbound_ids: [],
  outbound_ids: [],
  model_calls: [],
  ...part,
})
