export const PERIODS = ['day', 'week', 'month', 'custom'] as const
export type Period = (typeof PERIODS)[number]

/** What the address says: a span that ends now, or two days (`2026-11-28`), both included. */
export type Chosen = { period: Period; from?: string; to?: string }

const DAYS = { day: 1, week: 7, month: 30 }
const DAY_MS = 86_400_000
export const LONGEST_DAYS = 31

/** Read search parameters; whatever makes no sense is the last day. */
export function chosenFrom(search: Record<string, unknown>): Chosen {
  const period = PERIODS.find((one) => one === search.period) ?? 'day'
  const [from, to] = [dayOf(search.from), dayOf(search.to)]
  if (period !== 'custom' || !from || !to) return { period: period === 'custom' ? 'day' : period }
  return { period, from, to }
}

/** The span in the server's words; null where the chosen days are no span that it looks at. */
export function spanOf(chosen: Chosen, now: Date): { since: string; until: string } | null {
  if (chosen.period !== 'custom') {
    const since = new Date(now.getTime() - DAYS[chosen.period] * DAY_MS)
    return { since: since.toISOString(), until: now.toISOString() }
  }
  const since = startOf(chosen.from ?? '')
  const last = startOf(chosen.to ?? '')
  if (Number.isNaN(since.getTime()) || Number.isNaN(last.getTime())) return null
  const until = new Date(Math.min(nextDay(last).getTime(), now.getTime()))
  const days = (until.getTime() - since.getTime()) / DAY_MS
  return days > 0 && days <= LONGEST_DAYS ? { since: since.toISOString(), until: until.toISOString() } : null
}

const dayOf = (value: unknown) =>
  typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value) ? value : undefined

/** Midnight at this computer: days are picked in its own calendar. */
const startOf = (day: string) => new Date(`${day}T00:00:00`)

const nextDay = (day: Date) => new Date(day.getFullYear(), day.getMonth(), day.getDate() + 1)
