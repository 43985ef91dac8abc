import { i18n } from '@lingui/core'
import { beforeEach, expect, test } from 'vitest'
import { brief, bytes, dayKey, duration, milliseconds, relative, setTimeZone, time, usd } from './format'

beforeEach(() => {
  i18n.loadAndActivate({ locale: 'es', messages: {} })
  setTimeZone('America/Argentina/Buenos_Aires')
})

const NOW = new Date('2026-11-28T12:00:00Z')

test('times are those of the business, not of this computer', () => {
  expect(time('2026-11-28T02:30:00Z')).toBe('23:30')
  expect(dayKey('2026-11-28T02:30:00Z')).toBe('2026-11-27')
})

test('a list shows the time today, the weekday this week, the date before', () => {
  expect(brief('2026-11-28T11:05:00Z', NOW)).toBe('08:05')
  expect(brief('2026-11-26T11:05:00Z', NOW)).toBe('jue')
  expect(brief('2026-11-01T11:05:00Z', NOW)).toBe('1/11/26')
})

test('what is left is told in at most two units', () => {
  expect(duration(3 * 3600 + 12 * 60)).toBe('3 h 12 min')
  expect(duration(59)).toBe('59 s')
  expect(duration(-4)).toBe('0 s')
  expect(duration(90_000)).toBe('1 d 1 h')
})

test('a very small cost is not nothing', () => {
  const plain = (text: string) => text.replaceAll('\u00a0', ' ')
  expect(plain(usd('0.00042'))).toBe('0,00042 US$')
  expect(plain(usd('12.4'))).toBe('12,40 US$')
  expect(plain(usd('0'))).toBe('0,00 US$')
})

test('sizes and waits are readable', () => {
  expect(bytes(0)).toBe('0 B')
  expect(bytes(1_500_000)).toBe('1,5 MB')
  expect(milliseconds(812.4)).toBe('812 ms')
  expect(milliseconds(2412)).toBe('2,4 s')
  expect(relative('2026-11-28T11:48:00Z', NOW)).toBe('hace 12 min')
})
