import type { ProviderRoute, RouteChoice } from '@/api'

/** The list with the item at `from` standing at `to`. */
export function moved<Item>(items: readonly Item[], from: number, to: number): Item[] {
  const rest = items.filter((_, index) => index !== from)
  const item = items[from]
  return item === undefined ? [...items] : [...rest.slice(0, to), item, ...rest.slice(to)]
}

/** Where something dragged to `y` stands among the others: `middles` are their vertical middles, in order. */
export const placeAt = (y: number, middles: readonly number[]): number =>
  middles.filter((middle) => middle < y).length

export function choicesOf(routes: readonly ProviderRoute[]): RouteChoice[] {
  return routes.map(({ route_id, enabled, daily_limit_usd }) => ({ route_id, enabled, daily_limit_usd }))
}
