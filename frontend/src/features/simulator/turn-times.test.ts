import { expect, test } from 'vitest'
import { costOf, spans } from './turn-times'

const turn = {
  opened_at: '2026-11-28T10:00:00.000Z',
  claimed_at: '2026-11-28T10:00:01.200Z',
  answered_at: '2026-11-28T10:00:02.000Z',
  ended_at: '2026-11-28T10:00:02.050Z',
}

test('the parts of a turn are told in milliseconds', () => {
  expect(spans(turn)).toEqual({ waited: 1200, thought: 800, total: 2050 })
})

test('what has not happened yet has no duration', () => {
  const waiting = { ...turn, claimed_at: null, answered_at: null, ended_at: null }
  expect(spans(waiting)).toEqual({ waited: null, thought: null, total: null })
})

test('calls without a price are not counted as free', () => {
  expect(costOf([{ cost_usd: null }])).toBeNull()
  expect(costOf([{ cost_usd: '0.0004' }, { cost_usd: null }, { cost_usd: '0.0001' }])).toBeCloseTo(0.0005)
})
