import { useLingui } from '@lingui/react/macro'
import { type PointerEvent, type ReactNode, useState } from 'react'

type SplitPaneProps = {
  id: string
  first: ReactNode
  second: ReactNode
  initial: number
  least: number
  most: number
}

/** Two panes side by side; the edge between them is drawn by pointer or by arrow keys, and remembered as `id`. */
export function SplitPane({ id, first, second, initial, least, most }: SplitPaneProps) {
  const { t } = useLingui()
  const key = `mostrador.pane.${id}`
  const [width, setWidth] = useState(() => Number(localStorage.getItem(key)) || initial)
  const set = (wanted: number) => {
    const next = Math.round(Math.min(most, Math.max(least, wanted)))
    setWidth(next)
    localStorage.setItem(key, String(next))
  }
  const drag = (event: PointerEvent<HTMLElement>) => {
    if (event.currentTarget.hasPointerCapture(event.pointerId)) {
      set(event.clientX - (event.currentTarget.parentElement?.getBoundingClientRect().left ?? 0))
    }
  }
  return (
    <div className="flex h-full min-w-0">
      <div className="h-full shrink-0" style={{ width }}>
        {first}
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: a separator that moves is no <hr> */}
      <div
        role="separator"
        aria-orientation="vertical"
        aria-label={t`Ancho de la lista`}
        aria-valuenow={width}
        aria-valuemin={least}
        aria-valuemax={most}
        tabIndex={0}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={drag}
        onKeyDown={(event) => {
          if (event.key === 'ArrowLeft') set(width - 16)
          if (event.key === 'ArrowRight') set(width + 16)
        }}
        className="relative z-10 -mx-1 w-2 shrink-0 cursor-col-resize touch-none before:absolute before:inset-y-0 before:left-1 before:w-px before:bg-line hover:before:w-0.5 hover:before:bg-accent"
      />
      <div className="h-full min-w-0 flex-1">{second}</div>
    </div>
  )
}
