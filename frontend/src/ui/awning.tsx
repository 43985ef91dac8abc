import { useId } from 'react'

/** A striped awning with a scalloped edge: what one sees of a shop first. Decoration only. */
export function Awning({ className }: { className?: string }) {
  const id = useId()
  return (
    <svg aria-hidden="true" className={className} preserveAspectRatio="none">
      <defs>
        <pattern id={id} width="56" height="100%" patternUnits="userSpaceOnUse">
          <g className="fill-accent">
            <rect width="28" height="100%" y="-14" />
            <circle cx="14" cy="100%" r="14" transform="translate(0 -14)" />
          </g>
          <g className="fill-raised dark:fill-[#e8e4da]">
            <rect x="28" width="28" height="100%" y="-14" />
            <circle cx="42" cy="100%" r="14" transform="translate(0 -14)" />
          </g>
        </pattern>
      </defs>
      <rect width="100%" height="100%" fill={`url(#${id})`} />
    </svg>
  )
}
