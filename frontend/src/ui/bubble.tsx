import { cva } from 'class-variance-authority'
import type { ReactNode } from 'react'
import { cn } from '@/lib/cn'
import { time } from '@/lib/format'
import { type Tick, Ticks } from './ticks'

export type BubbleTone = 'them' | 'bot' | 'person' | 'phone' | 'note'

const bubble = cva(
  'relative min-w-20 max-w-[min(34rem,85%)] rounded-xl px-3 py-1.5 text-[0.92rem] shadow-[0_1px_1px_rgb(40_34_20/8%)]',
  {
    variants: {
      tone: {
        them: 'self-start rounded-tl-sm bg-surface',
        bot: 'self-end rounded-tr-sm bg-bot-soft',
        person: 'self-end rounded-tr-sm bg-person-soft',
        phone: 'self-end rounded-tr-sm bg-info-soft',
        note: 'self-end rounded-md border border-note-line bg-note text-note-ink shadow-none',
      },
    },
  },
)

type BubbleProps = {
  tone: BubbleTone
  /** Who speaks, where that is not plain from the side it stands on. */
  author?: ReactNode
  at: string
  tick?: Tick | null
  children: ReactNode
  /** Stands beside the time: a reason, a button. */
  aside?: ReactNode
  className?: string
}

/** One message, in the thread, in previews and on the simulator's phone. `children` is text or media. */
export function Bubble({ tone, author, at, tick, children, aside, className }: BubbleProps) {
  return (
    <div dir="auto" className={cn(bubble({ tone }), className)}>
      {author && (
        <p className="mb-0.5 flex items-center gap-1 font-semibold text-[0.75rem] [&_svg]:size-3.5">
          {author}
        </p>
      )}
      <div className="whitespace-pre-wrap [overflow-wrap:anywhere]">{children}</div>
      <div dir="ltr" className="mt-0.5 flex items-center justify-end gap-1.5 text-[0.7rem] text-muted">
        {aside}
        <time dateTime={at} className="tabular">
          {time(at)}
        </time>
        {tick && <Ticks tick={tick} className="size-3.5" />}
      </div>
    </div>
  )
}
