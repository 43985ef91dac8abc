import { i18n } from '@lingui/core'
import { beforeAll, expect, test } from 'vitest'
import { setTimeZone } from '@/lib/format'
import { notArrived, type Outgoing } from './outgoing'
import { message, note, turn } from './samples'
import { withNewest } from './thread'
import { timeline } from './timeline'

beforeAll(() => {
  i18n.loadAndActivate({ locale: 'es', messages: {} })
  setTimeZone('UTC')
})

const nothing = { messages: [], notes: [], turns: [], outgoing: [], complete: true }
const kinds = (sources: Partial<Parameters<typeof timeline>[0]>) =>
  timeline({ ...nothing, ...sources }).map((entry) => entry.kind)

test('notes stand between the messages they were written between', () => {
  const entries = timeline({
    ...nothing,
    messages: [message({ id: '01' }), message({ id: '05' })],
    notes: [note({ id: '03' })],
  })
  expect(entries.map((entry) => entry.kind)).toEqual(['day', 'message', 'note', 'message'])
})

test('a new day begins with its name', () => {
  expect(
    kinds({ messages: [message({ id: '01' }), message({ id: '02', sent_at: '2026-11-29T00:10:00Z' })] }),
  ).toEqual(['day', 'message', 'day', 'message'])
})

test('notes older than what is loaded wait for it', () => {
  expect(kinds({ messages: [message({ id: '05' })], notes: [note({ id: '03' })], complete: false })).toEqual([
    'day',
    'message',
  ])
})

test('a turn that ended in silence explains itself under the last message it was about', () => {
  const silent = turn({ state: 'ignored', reason: 'outside_hours', inbound_ids: ['02', '01'] })
  const messages = [message({ id: '01' }), message({ id: '02' }), message({ id: '03' })]
  expect(kinds({ messages, turns: [silent, turn({ id: 't2', inbound_ids: ['03'] })] })).toEqual([
    'day',
    'message',
    'message',
    'turn',
    'message',
  ])
})

test('a reaction stands on its message, the latest one of each side', () => {
  const react = (id: string, emoji: string) =>
    message({ id, kind: 'reaction', payload: { type: 'reaction', reaction: { message_id: 'w1', emoji } } })
  const entries = timeline({
    ...nothing,
    messages: [message({ id: '01', wamid: 'w1' }), react('02', '👍'), react('03', '❤️')],
  })
  expect(entries).toHaveLength(2)
  expect(entries[1]).toMatchObject({ kind: 'message', reactions: ['❤️'] })
  const taken = timeline({
    ...nothing,
    messages: [message({ id: '01', wamid: 'w1' }), react('02', '👍'), react('03', '')],
  })
  expect(taken[1]).toMatchObject({ reactions: [] })
})

test('a quoted message is found by WhatsApp’s id', () => {
  const entries = timeline({
    ...nothing,
    messages: [message({ id: '01', wamid: 'w1' }), message({ id: '02', reply_to: 'w1' })],
  })
  expect(entries[2]).toMatchObject({ quoted: { id: '01' } })
})

test('a fresh newest page joins what was loaded, and a gap forgets the older part', () => {
  const page = (...ids: string[]) => ({
    messages: ids.map((id) => message({ id })),
    cursor: `before ${ids[0]}`,
  })
  expect(withNewest(page('01', '02', '03'), page('03', '04'))).toEqual({
    ...page('01', '02', '03', '04'),
    cursor: 'before 01',
  })
  expect(withNewest(page('01', '02'), page('08', '09'))).toEqual(page('08', '09'))
  expect(withNewest(undefined, page('01'))).toEqual(page('01'))
})

test('what is being sent is not shown twice when the live hint is faster than the answer', () => {
  const one: Outgoing = {
    id: 'k1',
    conversationId: 'c1',
    text: 'Hola',
    at: '2026-11-28T12:00:00Z',
    state: 'sending',
    error: null,
    body: { content: { type: 'text', body: 'Hola' } },
  }
  const arrived = message({ author: 'person', text: 'Hola', sent_at: '2026-11-28T12:00:01Z' })
  expect(notArrived([one], [arrived])).toEqual([])
  expect(notArrived([one, { ...one, id: 'k2' }], [arrived])).toHaveLength(1)
  expect(notArrived([{ ...one, state: 'failed' }], [arrived])).toHaveLength(1)
})
