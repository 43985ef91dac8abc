import type { ReactNode } from 'react'

/** A phone around a screen: previews and the simulator. The screen scrolls inside. */
export function PhoneFrame({
  title,
  subtitle,
  children,
  footer,
}: {
  title: ReactNode
  subtitle?: ReactNode
  children: ReactNode
  footer?: ReactNode
}) {
  return (
    <div className="mx-auto flex h-full max-h-[46rem] min-h-96 w-full max-w-96 flex-col overflow-hidden rounded-[2rem] border-8 border-rail bg-thread shadow-float">
      <div className="flex items-center gap-3 bg-rail px-4 pt-1 pb-3 text-rail-active">
        <div className="min-w-0 flex-1">
          <p className="truncate font-semibold text-sm">{title}</p>
          {subtitle && <p className="truncate text-rail-ink text-xs">{subtitle}</p>}
        </div>
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto p-3">{children}</div>
      {footer && <div className="border-line border-t bg-surface p-2">{footer}</div>}
    </div>
  )
}
