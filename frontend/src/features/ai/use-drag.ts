import { type PointerEvent, type RefObject, useRef, useState } from 'react'
import { placeAt } from './order'

type Drag = {
  /** Where the dragged item stood and where it stands now; `from` is null while nothing is dragged. */
  from: number | null
  to: number
  /** For the list whose children with `data-movable` are the items. */
  list: {
    ref: RefObject<HTMLOListElement | null>
    onPointerMove: (event: PointerEvent) => void
    onPointerUp: () => void
    onPointerCancel: () => void
  }
  /** `onPointerDown` of an item's handle. */
  begin: (index: number) => (event: PointerEvent) => void
}

/** Drag items of a list up and down by a handle, with a mouse, a pen or a finger. */
export function useDrag(drop: (from: number, to: number) => void): Drag {
  const ref = useRef<HTMLOListElement>(null)
  const middles = useRef<number[]>([])
  const [place, setPlace] = useState<{ from: number; to: number } | null>(null)

  // The list captures the pointer: an item that moves in the document would lose it. The middles of the others are
  // those from before the drag, so that items that make room do not move the goal.
  const begin = (index: number) => (event: PointerEvent) => {
    if (event.button !== 0 || !ref.current) return
    ref.current.setPointerCapture(event.pointerId)
    middles.current = [...ref.current.querySelectorAll('[data-movable]')]
      .map((item) => item.getBoundingClientRect())
      .map((box) => box.top + box.height / 2)
      .filter((_, other) => other !== index)
    setPlace({ from: index, to: index })
  }
  const end = (isDropped: boolean) => {
    if (place && isDropped && place.from !== place.to) drop(place.from, place.to)
    setPlace(null)
  }
  return {
    from: place?.from ?? null,
    to: place?.to ?? 0,
    list: {
      ref,
      onPointerMove: (event) => place && setPlace({ ...place, to: placeAt(event.clientY, middles.current) }),
      onPointerUp: () => end(true),
      onPointerCancel: () => end(false),
    },
    begin,
  }
}
