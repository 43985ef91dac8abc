import { expect, test } from 'vitest'
import { chosenFrom, spanOf } from './period'

const NOW = new Date('2026-11-28T12:00:00Z')

test('an address that says nothing that makes sense is the last day', () => {
  expect(chosenFrom({})).toEqual({ period: 'day' })
  expect(chosenFrom({ period: 'year' })).toEqual({ period: 'day' })
  expect(chosenFrom({ period: 'custom', from: 'yesterday', to: '2026-11-02' })).toEqual({ period: 'day' })
  expect(chosenFrom({ period: 'week', from: '2026-11-01' })).toEqual({ period: 'week' })
})

test('a period that is not picked by its days ends now', () => {
  expect(spanOf({ period: 'week' }, NOW)).toEqual({
    since: '2026-11-21T12:00:00.000Z',
    until: '2026-11-28T12:00:00.000Z',
  })
})

test('both picked days are looked at whole, but never the future', () => {
  const picked = spanOf({ period: 'custom', from: '2026-11-01', to: '2026-11-02' }, NOW)
  expect(picked?.since).toBe(new Date('2026-11-01T00:00:00').toISOString())
  expect(picked?.until).toBe(new Date('2026-11-03T00:00:00').toISOString())
  expect(spanOf({ period: 'custom', from: '2026-11-28', to: '2026-11-28' }, NOW)?.until).toBe(
    NOW.toISOString(),
  )
})

test('days that are in the wrong order, missing or too many are no span', () => {
  expect(spanOf({ period: 'custom', from: '2026-11-03', to: '2026-11-01' }, NOW)).toBeNull()
  expect(spanOf({ period: 'custom' }, NOW)).toBeNull()
  expect(spanOf({ period: 'custom', from: '2026-01-01', to: '2026-11-28' }, NOW)).toBeNull()
})
