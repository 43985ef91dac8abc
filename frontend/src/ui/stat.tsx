import type { ReactNode } from 'react'

/** One figure with its name, and what it means underneath. */
export function Stat({ label, value, hint }: { label: ReactNode; value: ReactNode; hint?: ReactNode }) {
  return (
    <div className="min-w-0 rounded-lg border border-line bg-surface px-4 py-3">
      <p className="truncate text-muted text-xs">{label}</p>
      <p className="tabular mt-0.5 font-semibold text-2xl leading-tight max-md:text-lg tracking-tight">
        {value}
      </p>
      {hint && <p className="mt-0.5 text-muted text-xs">{hint}</p>}
    </div>
  )
}
