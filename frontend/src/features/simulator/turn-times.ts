import type { ModelCall, Turn } from '@/api'

/** Milliseconds of each part of a turn, null where it has not come to that. */
export function spans(turn: Pick<Turn, 'opened_at' | 'claimed_at' | 'answered_at' | 'ended_at'>) {
  const between = (from: string | null, to: string | null) =>
    from && to ? Math.max(0, Date.parse(to) - Date.parse(from)) : null
  const decided = turn.answered_at ?? turn.ended_at
  return {
    waited: between(turn.opened_at, turn.claimed_at),
    thought: between(turn.claimed_at, decided),
    total: between(turn.opened_at, turn.ended_at ?? turn.answered_at),
  }
}

/** What the models cost in dollars; null when no call has a price. */
export function costOf(calls: readonly Pick<ModelCall, 'cost_usd'>[]): number | null {
  const priced = calls.filter((call) => call.cost_usd !== null)
  if (priced.length === 0) return null
  return priced.reduce((sum, call) => sum + Number(call.cost_usd), 0)
}
