import { cva, type VariantProps } from 'class-variance-authority'
import type { ReactNode } from 'react'
import { cn } from '@/lib/cn'

const badge = cva(
  'inline-flex max-w-full items-center gap-1 truncate rounded-full px-2 py-px font-medium text-[0.75rem] leading-5 [&_svg]:size-3.5 [&_svg]:shrink-0',
  {
    variants: {
      tone: {
        neutral: 'bg-sunken text-muted',
        good: 'bg-accent-soft text-accent',
        bot: 'bg-bot-soft text-bot',
        person: 'bg-person-soft text-person',
        warn: 'bg-warn-soft text-warn',
        bad: 'bg-danger-soft text-danger',
        info: 'bg-info-soft text-info',
      },
    },
    defaultVariants: { tone: 'neutral' },
  },
)

export type Tone = NonNullable<VariantProps<typeof badge>['tone']>

export function Badge({
  tone,
  children,
  className,
}: {
  tone?: Tone
  children: ReactNode
  className?: string
}) {
  return <span className={cn(badge({ tone }), className)}>{children}</span>
}

/** A count in a small pill; nothing for nothing, `999+` for more. */
export function Count({ value, className }: { value: number; className?: string }) {
  if (value <= 0) return null
  return (
    <span
      className={cn(
        'tabular inline-grid min-w-5 place-items-center rounded-full bg-accent px-1.5 font-semibold text-[0.7rem] text-on-accent leading-4.5',
        className,
      )}
    >
      {value >= 999 ? '999+' : value}
    </span>
  )
}
