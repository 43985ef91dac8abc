import type { ReactNode } from 'react'
import { useEffect, useRef } from 'react'
import { cn } from '@/lib/cn'

type PageProps = {
  title: string
  description?: ReactNode
  actions?: ReactNode
  children: ReactNode
  wide?: boolean
}

/** A screen that is read from top to bottom. */
export function Page({ title, description, actions, children, wide }: PageProps) {
  return (
    <div className="h-full overflow-y-auto">
      <div className={cn('mx-auto w-full px-4 py-5 md:px-8 md:py-7', wide ? 'max-w-7xl' : 'max-w-4xl')}>
        <header className="mb-5 flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
          <div className="min-w-0">
            <PageTitle title={title} />
            {description && <p className="mt-1 max-w-2xl text-muted text-sm">{description}</p>}
          </div>
          {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
        </header>
        {children}
      </div>
    </div>
  )
}

/** The heading of a screen. It takes the focus when it is opened, so that a screen reader says where one is. */
export function PageTitle({ title, className }: { title: string; className?: string }) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · Mostrador`
    heading.current?.focus({ preventScroll: true })
  }, [title])
  return (
    <h1 ref={heading} tabIndex={-1} className={cn('font-semibold text-2xl tracking-tight', className)}>
      {title}
    </h1>
  )
}

type SectionProps = { title: ReactNode; description?: ReactNode; actions?: ReactNode; children?: ReactNode }

/** A part of a page with its own heading. */
export function Section({ title, description, actions, children }: SectionProps) {
  return (
    <section className="mb-5 rounded-xl border border-line bg-surface p-4 md:p-5">
      <div className="not-last:mb-3 flex flex-wrap items-start justify-between gap-3">
        <div className="min-w-0">
          <h2 className="font-semibold">{title}</h2>
          {description && <p className="mt-0.5 text-muted text-sm">{description}</p>}
        </div>
        {actions}
      </div>
      {children}
    </section>
  )
}
