import { expect, test } from 'vitest'
import { belongs, readFilter, toQuery } from './filter'
import { conversation } from './samples'

test('what the address says is read, and nonsense is left out', () => {
  expect(readFilter({ view: 'mine', control: 'bot', q: 123, other: 1 })).toEqual({
    view: 'mine',
    control: 'bot',
    q: '123',
  })
  expect(readFilter({ view: 'open', control: 'robot', q: '  ' })).toEqual({})
})

test('each view asks the server for what it shows', () => {
  expect(toQuery({})).toEqual({ status: 'open' })
  expect(toQuery({ view: 'mine', control: 'nobody' })).toEqual({
    status: 'open',
    assignee: 'me',
    control: 'nobody',
  })
  expect(toQuery({ view: 'closed', q: 'ana' })).toEqual({ status: 'closed', q: 'ana' })
})

test('a changed conversation belongs where the server would list it', () => {
  const mine = conversation({ assignee: { id: 'me', name: 'Yo' } })
  expect(belongs({ view: 'mine' }, mine, 'me')).toBe(true)
  expect(belongs({ view: 'mine' }, conversation(), 'me')).toBe(false)
  expect(belongs({ view: 'unread' }, conversation({ unread: 2 }), 'me')).toBe(true)
  expect(belongs({ view: 'attention' }, conversation(), 'me')).toBe(false)
  expect(belongs({}, conversation({ status: 'closed' }), 'me')).toBe(false)
  expect(belongs({ q: 'ana' }, conversation(), 'me')).toBeNull()
})
