import type { ProviderRoute } from '@/api'

/** How a route is, in the one word that matters most now. */
export type RouteState =
  | 'needs_key'
  | 'off'
  | 'spent'
  | 'paused'
  | 'waiting'
  | 'no_requests'
  | 'recovering'
  | 'shaky'
  | 'failing'
  | 'untried'
  | 'good'

const SHAKY_SHARE = 0.05
const FAILING_SHARE = 0.5

export function stateOf(route: ProviderRoute): RouteState {
  if (route.needs_key) return 'needs_key'
  if (!route.enabled) return 'off'
  if (route.spent) return 'spent'
  if (route.paused === 'breaker_open') return 'paused'
  if (route.paused === 'cool_down') return 'waiting'
  if (route.requests_left_today === 0 || route.requests_left_this_minute === 0) return 'no_requests'
  if (route.breaker !== 'closed') return 'recovering'
  const share = route.error_share_last_hour ?? 0
  if (share >= FAILING_SHARE) return 'failing'
  if (share > SHAKY_SHARE) return 'shaky'
  return route.last_answer_at === null && route.origin !== 'built_in' ? 'untried' : 'good'
}

const CANNOT_ANSWER: readonly RouteState[] = ['needs_key', 'off', 'spent', 'paused', 'waiting', 'no_requests']

/** The id of the route that the next customer's message would go to; null when none can be asked now. */
export function answersNow(routes: readonly ProviderRoute[]): string | null {
  return routes.find((route) => !CANNOT_ANSWER.includes(stateOf(route)))?.route_id ?? null
}

export type Totals = { calls: number; failed: number; cost: number; unpriced: number }

export function totals(routes: readonly ProviderRoute[]): Totals {
  return routes.reduce(
    (sum, route) => ({
      calls: sum.calls + route.calls_today,
      failed: sum.failed + route.failed_today,
      cost: sum.cost + Number(route.cost_today_usd),
      unpriced: sum.unpriced + route.unpriced_today,
    }),
    { calls: 0, failed: 0, cost: 0, unpriced: 0 },
  )
}
