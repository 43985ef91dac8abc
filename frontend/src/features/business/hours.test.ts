import { expect, test } from 'vitest'
import { areSound, endsNextDay, nextInterval, problemOf, readTime, usualHours } from './hours'

test('times are read as people type them', () => {
  expect(['9', '930', '9.30', '9:30', '09:30', ' 21h ', '24'].map(readTime)).toEqual([
    '09:00',
    '09:30',
    '09:30',
    '09:30',
    '09:30',
    '21:00',
    '24:00',
  ])
  expect(['', '25', '9:75', '24:01', 'nine', '9:3'].map(readTime)).toEqual(Array(6).fill(null))
})

test('what the server would refuse is told before', () => {
  const noon = { opens: '09:00', closes: '13:00' }
  expect(problemOf([noon, { opens: '15:00', closes: '19:00' }])).toBeNull()
  expect(problemOf([{ opens: '12:00', closes: '19:00' }, noon])).toBe('overlap')
  expect(problemOf([{ opens: '09:00', closes: '09:00' }])).toBe('empty')
  expect(problemOf([{ opens: '09:00', closes: '9' }])).toBe('not_a_time')
  expect(problemOf([{ opens: '24:00', closes: '09:00' }])).toBe('not_a_time')
})

test('an evening that ends after midnight is sound, and the whole day is', () => {
  const night = { opens: '20:00', closes: '02:00' }
  expect(problemOf([night])).toBeNull()
  expect(endsNextDay(night)).toBe(true)
  expect(problemOf([{ opens: '00:00', closes: '24:00' }])).toBeNull()
})

test('the same date twice, or none, is not sound', () => {
  const hours = usualHours()
  const holiday = { on: '2026-12-25', name: 'Navidad', intervals: [] }
  expect(areSound(null)).toBe(true)
  expect(areSound({ ...hours, exceptions: [holiday] })).toBe(true)
  expect(areSound({ ...hours, exceptions: [holiday, holiday] })).toBe(false)
  expect(areSound({ ...hours, exceptions: [{ ...holiday, on: '' }] })).toBe(false)
})

test('one more interval begins after the last one', () => {
  expect(nextInterval([])).toEqual({ opens: '09:00', closes: '18:00' })
  expect(nextInterval([{ opens: '09:00', closes: '13:00' }])).toEqual({ opens: '14:00', closes: '18:00' })
  expect(nextInterval([{ opens: '09:00', closes: '22:30' }])).toEqual({ opens: '23:00', closes: '24:00' })
})
