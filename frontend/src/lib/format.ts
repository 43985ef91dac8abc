import { i18n } from '@lingui/core'

type DateInput = string | Date

// Where nothing is known of the business yet, times are those of this computer.
let timeZone: string | undefined

/** Show every time in this zone (IANA name) from now on: that of the business. */
export function setTimeZone(name: string | undefined): void {
  timeZone = name
  formats.clear()
}

const formats = new Map<string, Intl.DateTimeFormat>()

function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = i18n.locale + JSON.stringify(options)
  let found = formats.get(key)
  if (!found) {
    found = new Intl.DateTimeFormat(i18n.locale, { timeZone, ...options })
    formats.set(key, found)
  }
  return found
}

export const time = (at: DateInput) => format({ hour: '2-digit', minute: '2-digit' }).format(new Date(at))

export const dateTime = (at: DateInput) =>
  format({ day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' }).format(
    new Date(at),
  )

export const exactTime = (at: DateInput) =>
  format({ dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(at))

/** `2026-11-28` in the zone of the business: two times of one day have the same. */
export function dayKey(at: DateInput): string {
  const parts = format({ year: 'numeric', month: '2-digit', day: '2-digit' }).formatToParts(new Date(at))
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? ''
  return `${part('year')}-${part('month')}-${part('day')}`
}

export const weekday = (at: DateInput) =>
  format({ weekday: 'long', day: 'numeric', month: 'long' }).format(new Date(at))

/** As short as a list needs it: the time today, the weekday this week, the date before. */
export function brief(at: DateInput, now: Date = new Date()): string {
  const then = new Date(at)
  if (dayKey(then) === dayKey(now)) return time(then)
  if (now.getTime() - then.getTime() < 6 * 86_400_000) return format({ weekday: 'short' }).format(then)
  return format({ day: 'numeric', month: 'numeric', year: '2-digit' }).format(then)
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
]

export function relative(at: DateInput, now: Date = new Date()): string {
  const seconds = Math.round((new Date(at).getTime() - now.getTime()) / 1000)
  const [unit, size] = STEPS.find(([, step]) => Math.abs(seconds) >= step) ?? ['second', 1]
  return new Intl.RelativeTimeFormat(i18n.locale, { numeric: 'auto', style: 'short' }).format(
    Math.trunc(seconds / size),
    unit,
  )
}

export const number = (value: number, options?: Intl.NumberFormatOptions) =>
  new Intl.NumberFormat(i18n.locale, options).format(value)

/** `a, b y c`, in the person's language. */
export const list = (items: readonly string[]) => new Intl.ListFormat(i18n.locale).format(items)

/** `0.0004` dollars are shown with the digits that matter, never as nothing. */
export function usd(value: string | number): string {
  const amount = Number(value)
  const digits = amount !== 0 && Math.abs(amount) < 0.01 ? { maximumSignificantDigits: 2 } : {}
  return number(amount, { style: 'currency', currency: 'USD', ...digits })
}

export function milliseconds(value: number): string {
  if (value < 1000) return `${number(Math.round(value))} ms`
  return number(value / 1000, { style: 'unit', unit: 'second', maximumFractionDigits: 1 })
}

/** `3 h 12 min`, `12 min`, `40 s`: what is left, in at most two units. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const days = Math.floor(whole / 86_400)
  const hours = Math.floor((whole % 86_400) / 3600)
  const minutes = Math.floor((whole % 3600) / 60)
  if (days > 0) return `${days} d ${hours} h`
  if (hours > 0) return `${hours} h ${minutes} min`
  if (minutes > 0) return `${minutes} min`
  return `${whole} s`
}

const SIZES = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const

export function bytes(size: number): string {
  const power = Math.min(SIZES.length - 1, size > 0 ? Math.floor(Math.log10(size) / 3) : 0)
  const unit = SIZES[power] ?? 'byte'
  return number(size / 1000 ** power, {
    style: 'unit',
    unit,
    unitDisplay: 'short',
    maximumFractionDigits: power ? 1 : 0,
  })
}

/** Digits with country code, as people read them. */
export const phone = (digits: string | null | undefined) => (digits ? `+${digits}` : '')
