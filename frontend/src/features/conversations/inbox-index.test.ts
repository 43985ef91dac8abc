import { beforeEach, expect, test, vi } from 'vitest'
import type { Conversation } from '@/api'
import { InboxIndex } from './inbox-index'
import { conversation } from './samples'

const at = (minute: number) => `2026-11-28T12:${String(minute).padStart(2, '0')}:00Z`

let stored: Conversation[]
let asked: (string | null)[]

/** A server with pages of two. */
function index(): InboxIndex {
  return new InboxIndex({
    page: async (cursor) => {
      asked.push(cursor)
      const sorted = stored.toSorted((one, other) => (one.last_message_at < other.last_message_at ? 1 : -1))
      const from = cursor ? Number(cursor) : 0
      return {
        items: sorted.slice(from, from + 2),
        next_cursor: from + 2 < sorted.length ? String(from + 2) : null,
      }
    },
    one: async (id) => stored.find((one) => one.id === id) as Conversation,
    belongs: (one) => one.status === 'open',
  })
}

beforeEach(() => {
  vi.useFakeTimers()
  asked = []
  stored = [1, 2, 3].map((place) => conversation({ id: `c${place}`, last_message_at: at(place) }))
})

const change = (id: string, part: Partial<Conversation>) => {
  stored = stored.map((one) => (one.id === id ? { ...one, ...part } : one))
}

test('pages come one after the other, the newest first', async () => {
  const list = index()
  await list.refresh()
  expect(list.order).toEqual(['c3', 'c2'])
  await list.more()
  expect(list.order).toEqual(['c3', 'c2', 'c1'])
  expect(list.hasMore).toBe(false)
})

test('news moves a conversation to its new place, even one that was not loaded', async () => {
  const list = index()
  await list.refresh()
  change('c1', { last_message_at: at(9), unread: 1 })
  list.touch('c1')
  await vi.advanceTimersByTimeAsync(300)
  expect(list.order).toEqual(['c1', 'c3', 'c2'])
  expect(list.get('c1')?.unread).toBe(1)
})

test('while it is held rows change where they are, and those that would move wait', async () => {
  const list = index()
  await list.refresh()
  list.hold(true)
  const row = vi.fn()
  list.watchRow('c2', row)
  list.put(conversation({ id: 'c2', last_message_at: at(9), unread: 3 }))
  expect(row).toHaveBeenCalledTimes(1)
  expect(list.order).toEqual(['c3', 'c2'])
  expect(list.waiting).toBe(1)
  list.hold(false)
  expect(list.order).toEqual(['c2', 'c3'])
  expect(list.waiting).toBe(0)
})

test('what no longer belongs leaves, at once or when the list is released', async () => {
  const list = index()
  await list.refresh()
  list.put(conversation({ id: 'c3', last_message_at: at(3), status: 'closed' }))
  expect(list.order).toEqual(['c2'])
})

test('many changes at once are fetched as one page', async () => {
  const list = index()
  await list.refresh()
  for (let place = 1; place <= 6; place++) list.touch(`c${place}`)
  await vi.advanceTimersByTimeAsync(300)
  expect(asked).toEqual([null, null])
})

test('fetched again, it keeps what was loaded beyond the first page and forgets what is gone', async () => {
  const list = index()
  await list.refresh()
  await list.more()
  stored = stored.filter((one) => one.id !== 'c2')
  await list.refresh()
  expect(list.order).toEqual(['c3', 'c1'])
})
