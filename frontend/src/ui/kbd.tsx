import { cn } from '@/lib/cn'
import { readable } from './keys'

/** Keys as they stand on the keyboard: `mod+k`, `g i`. */
export function Kbd({ keys, inverted }: { keys: string; inverted?: boolean }) {
  return (
    <span className="inline-flex gap-0.5">
      {readable(keys).map((key) => (
        <kbd
          key={key}
          className={cn(
            'min-w-5 rounded border px-1 text-center font-sans text-[0.7rem] leading-4.5',
            inverted ? 'border-canvas/40' : 'border-line bg-sunken text-muted',
          )}
        >
          {key}
        </kbd>
      ))}
    </span>
  )
}
