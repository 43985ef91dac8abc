import { usd } from '@/lib/format'

/** Dollars with the digits that matter; a dash where the cost is not known, which is not the same as nothing. */
export function Money({ amount }: { amount: string | number | null }) {
  if (amount === null) return <span aria-hidden>—</span>
  return <span className="tabular">{usd(amount)}</span>
}
