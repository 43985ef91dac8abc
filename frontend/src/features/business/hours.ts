import type { Hours, Interval, WeeklyHours } from '@/api'

export type Day = keyof WeeklyHours

export const DAYS: readonly Day[] = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
]

const MORNING_TO_EVENING: Interval = { opens: '09:00', closes: '18:00' }
const MINUTES_OF_A_DAY = 24 * 60

/** The hours of a business that has just said that it has some: weekdays, where this computer is. */
export function usualHours(): Hours {
  const weekday = [MORNING_TO_EVENING]
  return {
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    weekly: {
      monday: weekday,
      tuesday: weekday,
      wednesday: weekday,
      thursday: weekday,
      friday: weekday,
      saturday: [],
      sunday: [],
    },
    exceptions: [],
  }
}

/** One more interval for a day: after the last one, or the usual day. */
export function nextInterval(intervals: readonly Interval[]): Interval {
  const last = intervals.at(-1)
  if (!last) return MORNING_TO_EVENING
  const opens = Math.min(minutes(last.closes) + 60, MINUTES_OF_A_DAY - 60)
  return { opens: clock(opens), closes: clock(Math.min(opens + 4 * 60, MINUTES_OF_A_DAY)) }
}

/** `9`, `930`, `9.30` and `9:30` as people type them, as HH:MM; null for what is no time. `24:00` ends a day. */
export function readTime(typed: string): string | null {
  const found = /^\s*(\d{1,2})(?:\s*[:.h]?\s*(\d{2}))?\s*h?\s*$/i.exec(typed)
  if (!found) return null
  const total = Number(found[1]) * 60 + Number(found[2] ?? 0)
  const isTime = Number(found[2] ?? 0) < 60 && total <= MINUTES_OF_A_DAY
  return isTime ? clock(total) : null
}

export type IntervalProblem = 'not_a_time' | 'empty' | 'overlap'

/** What is wrong with a day's intervals, if anything; the server asks for the same. */
export function problemOf(intervals: readonly Interval[]): IntervalProblem | null {
  if (intervals.some(({ opens, closes }) => !isTime(opens) || opens === '24:00' || !isTime(closes)))
    return 'not_a_time'
  if (intervals.some(({ opens, closes }) => opens === closes)) return 'empty'
  let end = 0
  for (const { opens, closes } of [...intervals].sort(
    (one, other) => minutes(one.opens) - minutes(other.opens),
  )) {
    if (minutes(opens) < end) return 'overlap'
    // One that closes earlier than it opens ends the next day.
    end = minutes(closes) > minutes(opens) ? minutes(closes) : minutes(closes) + MINUTES_OF_A_DAY
  }
  return null
}

export const endsNextDay = ({ opens, closes }: Interval): boolean =>
  isTime(opens) && isTime(closes) && minutes(closes) < minutes(opens)

/** Whether hours can be stored as they are. */
export function areSound(hours: Hours | null): boolean {
  if (!hours) return true
  const dates = hours.exceptions.map(({ on }) => on)
  return (
    DAYS.every((day) => problemOf(hours.weekly[day]) === null) &&
    hours.exceptions.every(({ on, intervals }) => on !== '' && problemOf(intervals) === null) &&
    new Set(dates).size === dates.length
  )
}

export function timeZones(): string[] {
  return [...new Set(['UTC', ...Intl.supportedValuesOf('timeZone')])]
}

const isTime = (text: string) => readTime(text) === text
const minutes = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3))
const clock = (total: number) =>
  `${String(Math.floor(total / 60)).padStart(2, '0')}:${String(total % 60).padStart(2, '0')}`
