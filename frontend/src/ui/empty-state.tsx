import type { ReactNode } from 'react'
import { cn } from '@/lib/cn'

type EmptyStateProps = {
  icon?: ReactNode
  title: ReactNode
  children?: ReactNode
  action?: ReactNode
  className?: string
}

/** Nothing is here: what would be, why it is not, and what to do next. */
export function EmptyState({ icon, title, children, action, className }: EmptyStateProps) {
  return (
    <div className={cn('flex flex-col items-center justify-center gap-2 px-6 py-10 text-center', className)}>
      {icon && (
        <div className="mb-1 grid size-12 place-items-center rounded-2xl bg-sunken text-muted [&_svg]:size-6">
          {icon}
        </div>
      )}
      <p className="font-semibold">{title}</p>
      {children && <div className="max-w-sm text-muted text-sm">{children}</div>}
      {action && <div className="mt-2">{action}</div>}
    </div>
  )
}
