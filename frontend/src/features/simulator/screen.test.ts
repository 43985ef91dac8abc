import { expect, test } from 'vitest'
import type { CustomerView, PhoneMessage } from '@/api'
import { BLANK, bubbles, isDeleted, lastWritten, merge, windowLeft } from './screen'

const message = (id: string, more: Partial<PhoneMessage> = {}): PhoneMessage => ({
  id,
  changed: 1,
  mine: true,
  kind: 'text',
  text: id,
  at: '2026-11-28T10:00:00Z',
  tick: 'sent',
  choices: [],
  media_id: null,
  reply_to: null,
  reaction: null,
  ...more,
})

const news = (seq: number, ...messages: PhoneMessage[]) => ({
  customer: '54911',
  seq,
  typing: false,
  messages,
})

test('a message that changed stays where it is, a new one comes last', () => {
  const first = merge(BLANK, news(2, message('a'), message('b')), true)
  const then = merge(first, news(4, message('a', { tick: 'read' }), message('c')), false)
  expect(then.messages.map(({ id, tick }) => `${id} ${tick}`)).toEqual(['a read', 'b sent', 'c sent'])
  expect(then.seq).toBe(4)
})

test('an answer that counts from the beginning replaces what was shown before a reset', () => {
  const before = merge(BLANK, news(9, message('old')), true)
  expect(merge(before, news(1, message('new')), true).messages.map(({ id }) => id)).toEqual(['new'])
})

test('a reaction of the person is seen on its message, not as a bubble; one of the business is a bubble', () => {
  const shown = bubbles([
    message('hello', { mine: false }),
    message('mine', { kind: 'reaction' }),
    message('theirs', { kind: 'reaction', mine: false }),
  ])
  expect(shown.map(({ id }) => id)).toEqual(['hello', 'theirs'])
})

test('the last thing written is a text of the person that was not deleted', () => {
  const messages = [message('first'), message('x', { text: '' }), message('photo', { kind: 'image' })]
  expect(lastWritten(messages)).toBe('first')
  expect(messages.filter(isDeleted).map(({ id }) => id)).toEqual(['x'])
  expect(lastWritten([])).toBeNull()
})

test('the window is open for a day after the last message, and closed after', () => {
  const person = { last_wrote_at: '2026-11-28T10:00:00Z' } as CustomerView
  expect(windowLeft(person, new Date('2026-11-28T11:00:00Z'))).toBe(23 * 3600)
  expect(windowLeft(person, new Date('2026-11-30T11:00:00Z'))).toBe(0)
  expect(windowLeft({ ...person, last_wrote_at: null }, new Date())).toBeNull()
})
