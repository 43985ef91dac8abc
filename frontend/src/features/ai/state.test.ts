import { expect, test } from 'vitest'
import type { ProviderRoute } from '@/api'
import { choicesOf, moved, placeAt } from './order'
import { answersNow, stateOf, totals } from './state'

const route = (change: Partial<ProviderRoute> = {}): ProviderRoute => ({
  route_id: 'openai:a',
  origin: 'stored',
  provider: 'openai',
  model: 'a',
  enabled: true,
  position: 1,
  local: false,
  base_url: 'https://api.openai.com/v1',
  key_last_four: '9f2c',
  needs_key: false,
  breaker: 'closed',
  paused: null,
  paused_seconds: 0,
  requests_per_minute: null,
  requests_left_this_minute: null,
  requests_per_day: null,
  requests_left_today: null,
  in_flight: 0,
  calls_today: 0,
  failed_today: 0,
  cost_today_usd: '0',
  unpriced_today: 0,
  daily_limit_usd: null,
  spent: false,
  calls_last_hour: 0,
  error_share_last_hour: null,
  p50_milliseconds: null,
  p95_milliseconds: null,
  last_error_kind: null,
  last_error_message: '',
  last_error_at: null,
  last_answer_at: '2026-11-28T10:00:00Z',
  ...change,
})

test('what keeps a route from being asked is said before how well it does', () => {
  expect(stateOf(route())).toBe('good')
  expect(stateOf(route({ last_answer_at: null }))).toBe('untried')
  expect(stateOf(route({ error_share_last_hour: 0.2 }))).toBe('shaky')
  expect(stateOf(route({ error_share_last_hour: 0.9 }))).toBe('failing')
  expect(stateOf(route({ breaker: 'half_open', error_share_last_hour: 1 }))).toBe('recovering')
  expect(stateOf(route({ paused: 'breaker_open', breaker: 'open' }))).toBe('paused')
  expect(stateOf(route({ requests_left_today: 0 }))).toBe('no_requests')
  expect(stateOf(route({ spent: true, paused: 'cool_down' }))).toBe('spent')
  expect(stateOf(route({ enabled: false, needs_key: true }))).toBe('needs_key')
})

test('the first that can be asked answers now', () => {
  const paused = route({ paused: 'cool_down' })
  expect(answersNow([paused, route({ route_id: 'b', breaker: 'half_open' }), route({ route_id: 'c' })])).toBe(
    'b',
  )
  expect(answersNow([paused])).toBeNull()
})

test('the day is added up, and what has no price is not taken for free', () => {
  const day = totals([
    route({ calls_today: 3, cost_today_usd: '0.0004' }),
    route({ calls_today: 2, failed_today: 1, unpriced_today: 2 }),
  ])
  expect(day).toEqual({ calls: 5, failed: 1, cost: 0.0004, unpriced: 2 })
})

test('a list is rearranged without losing anything', () => {
  expect(moved(['a', 'b', 'c'], 0, 2)).toEqual(['b', 'c', 'a'])
  expect(moved(['a', 'b', 'c'], 2, 0)).toEqual(['c', 'a', 'b'])
  expect(moved(['a', 'b'], 5, 0)).toEqual(['a', 'b'])
  expect(placeAt(250, [50, 150, 350])).toBe(2)
  expect(choicesOf([route({ enabled: false, daily_limit_usd: '5' })])).toEqual([
    { route_id: 'openai:a', enabled: false, daily_limit_usd: '5' },
  ])
})
