import { useVirtualizer } from '@tanstack/react-virtual'
import { type ReactNode, type RefObject, useEffect, useRef } from 'react'

type VirtualListProps = {
  label: string
  count: number
  rowHeight: number
  /** The content of one `<li>`. */
  row: (index: number) => ReactNode
  rowKey: (index: number) => string
  /** Called when the last rows come into sight. */
  onEnd?: () => void
  /** This row is kept in sight when it changes. */
  focused?: number
  scrollRef?: RefObject<HTMLDivElement | null>
  className?: string
  footer?: ReactNode
}

/** A list of rows of one height, of which only those in sight are in the document. */
export function VirtualList(props: VirtualListProps) {
  const own = useRef<HTMLDivElement>(null)
  const scroller = props.scrollRef ?? own
  const virtual = useVirtualizer({
    count: props.count,
    getScrollElement: () => scroller.current,
    estimateSize: () => props.rowHeight,
    getItemKey: props.rowKey,
    overscan: 6,
  })
  const rows = virtual.getVirtualItems()
  const last = rows.at(-1)?.index ?? -1
  const { onEnd, count, focused } = props
  useEffect(() => {
    if (onEnd && count > 0 && last >= count - 8) onEnd()
  }, [last, count, onEnd])
  useEffect(() => {
    if (focused !== undefined && focused >= 0) virtual.scrollToIndex(focused, { align: 'auto' })
  }, [focused, virtual])
  return (
    <div ref={scroller} className={props.className}>
      <ul aria-label={props.label} className="relative" style={{ height: virtual.getTotalSize() }}>
        {rows.map((item) => (
          <li
            key={item.key}
            aria-setsize={props.count}
            aria-posinset={item.index + 1}
            className="absolute inset-x-0 top-0"
            style={{ height: item.size, transform: `translateY(${item.start}px)`, contain: 'strict' }}
          >
            {props.row(item.index)}
          </li>
        ))}
      </ul>
      {props.footer}
    </div>
  )
}
