import { useSyncExternalStore } from 'react'
import { brief, dateTime, exactTime, relative, time } from '@/lib/format'

const LOOKS = { brief, time, full: dateTime, relative }

/** A time in the zone of the business; pointing at it shows it exactly. A relative one stays right as time passes. */
export function DateTime({ at, look = 'full' }: { at: string; look?: keyof typeof LOOKS }) {
  useMinute(look === 'relative')
  return (
    <time dateTime={at} title={exactTime(at)} className="tabular">
      {LOOKS[look](at)}
    </time>
  )
}

const listeners = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined

function onMinute(listener: () => void): () => void {
  listeners.add(listener)
  timer ??= setInterval(() => {
    for (const one of listeners) one()
  }, 15_000)
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) {
      clearInterval(timer)
      timer = undefined
    }
  }
}

const currentQuarter = () => Math.floor(Date.now() / 15_000)

/** Render again about four times a minute. All that count time share one timer. */
export function useMinute(enabled = true): void {
  useSyncExternalStore(enabled ? onMinute : never, currentQuarter)
}

const never = () => () => {}
