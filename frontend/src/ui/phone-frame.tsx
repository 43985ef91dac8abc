import { BatteryFull, Plane, Signal, Wifi } from 'lucide-react'
import type { ReactNode, Ref } from 'react'
import { cn } from '@/lib/cn'

type PhoneFrameProps = {
  title: ReactNode
  subtitle?: ReactNode
  avatar?: ReactNode
  /** Buttons at the right of the title. */
  actions?: ReactNode
  /** The phone's own clock. */
  clock?: ReactNode
  /** Without a network: nothing reaches it. */
  offline?: boolean
  children: ReactNode
  footer?: ReactNode
  /** On a real phone it has no case and fills the screen. */
  fill?: boolean
  screenRef?: Ref<HTMLDivElement>
  onScroll?: () => void
}

/** A phone around a chat: previews and the simulator. The screen scrolls inside. */
export function PhoneFrame(props: PhoneFrameProps) {
  const { title, subtitle, avatar, actions, clock, offline, children, footer, fill } = props
  return (
    <div
      className={cn(
        'mx-auto flex h-full max-h-[50rem] min-h-96 w-full max-w-[25.5rem] flex-col rounded-[2.75rem] border border-line-strong/50 bg-[#0d1412] p-2.5 shadow-float ring-4 ring-black/5',
        fill &&
          'max-md:max-h-none max-md:max-w-none max-md:rounded-none max-md:border-0 max-md:p-0 max-md:ring-0',
      )}
    >
      <div
        className={cn(
          'flex min-h-0 flex-1 flex-col overflow-hidden rounded-[2.15rem] bg-thread',
          fill && 'max-md:rounded-none',
        )}
      >
        <div className="shrink-0 bg-rail text-rail-active">
          <StatusBar clock={clock} offline={offline} className={cn(fill && 'max-md:hidden')} />
          <div className="flex items-center gap-2.5 px-3.5 pt-1 pb-2.5 max-md:pt-2">
            {avatar}
            <div className="min-w-0 flex-1">
              <div className="truncate font-semibold text-[0.95rem] leading-tight">{title}</div>
              {subtitle && <div className="truncate text-rail-ink text-xs">{subtitle}</div>}
            </div>
            {actions}
          </div>
        </div>
        <div
          ref={props.screenRef}
          onScroll={props.onScroll}
          className="min-h-0 flex-1 overflow-y-auto bg-[radial-gradient(var(--line)_1px,transparent_1.2px)] bg-[size:16px_16px] px-3 py-3"
        >
          {children}
        </div>
        {footer && <div className="shrink-0 bg-thread px-2 pt-1 pb-2">{footer}</div>}
        <div aria-hidden className={cn('flex justify-center bg-thread pb-2', fill && 'max-md:hidden')}>
          <span className="h-1 w-28 rounded-full bg-line-strong/60" />
        </div>
      </div>
    </div>
  )
}

function StatusBar({
  clock,
  offline,
  className,
}: {
  clock: ReactNode
  offline: boolean | undefined
  className: string
}) {
  return (
    <div
      className={cn('relative flex h-8 items-center justify-between px-6 pt-1.5 text-[0.72rem]', className)}
    >
      <span className="tabular font-semibold">{clock}</span>
      <span
        aria-hidden
        className="-translate-x-1/2 absolute top-2 left-1/2 h-4.5 w-20 rounded-full bg-black"
      />
      <span aria-hidden className="flex items-center gap-1 [&_svg]:size-3.5">
        {offline ? (
          <Plane />
        ) : (
          <>
            <Signal />
            <Wifi />
          </>
        )}
        <BatteryFull />
      </span>
    </div>
  )
}
