import { cn } from '@/lib/cn'

/** How much of a whole: `value` and `most` in the same unit. */
export function Progress({
  label,
  value,
  most,
  tone = 'good',
}: {
  label: string
  value: number
  most: number
  tone?: 'good' | 'warn' | 'bad'
}) {
  const share = most > 0 ? Math.min(1, value / most) : 0
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(share * 100)}
      className="h-2 overflow-hidden rounded-full bg-sunken"
    >
      <div
        className={cn(
          'h-full rounded-full',
          { good: 'bg-accent', warn: 'bg-warn-strong', bad: 'bg-danger' }[tone],
        )}
        style={{ width: `${share * 100}%` }}
      />
    </div>
  )
}
