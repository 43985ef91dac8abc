import { cn } from '@/lib/cn'
import { initials, tint } from './names'

const TINTS = [
  'bg-[#e3d5c3] text-[#5a3d18] dark:bg-[#41352a] dark:text-[#ecd6b8]',
  'bg-[#cfe3da] text-[#11513f] dark:bg-[#1e3b31] dark:text-[#a9dfca]',
  'bg-[#d9d6f2] text-[#3a3391] dark:bg-[#2c2a55] dark:text-[#cbc7ff]',
  'bg-[#f3d6cf] text-[#7d2c1b] dark:bg-[#4a2821] dark:text-[#f5c2b6]',
  'bg-[#d3e1ef] text-[#1c4a76] dark:bg-[#1d3550] dark:text-[#b5d6f6]',
  'bg-[#ecdfae] text-[#5c4700] dark:bg-[#40381a] dark:text-[#eedd9a]',
]

/** The first letters of a name, in a colour that stays the same for it. Decoration: the name stands beside it. */
export function Avatar({ name, className }: { name: string; className?: string }) {
  return (
    <span
      aria-hidden
      className={cn(
        'grid size-9 shrink-0 select-none place-items-center rounded-full font-semibold text-[0.8rem]',
        TINTS[tint(name, TINTS.length)],
        className,
      )}
    >
      {initials(name)}
    </span>
  )
}
