import { expect, test } from 'vitest'
import { initials, plainName, tint } from './names'

test('initials are those of the first and the last word', () => {
  expect(initials('Ana María López')).toBe('AL')
  expect(initials('madonna')).toBe('M')
  expect(initials('مريم')).toBe('م')
  expect(initials('5491155550000')).toBe('00')
  expect(initials('🌵')).toBe('•')
})

test('a name keeps its colour', () => {
  expect(tint('Ana', 6)).toBe(tint('Ana', 6))
})

test('a stranger’s name cannot turn the text around it about', () => {
  expect(plainName('Ana\u202e gnp.exe')).toBe('Ana gnp.exe')
  expect(plainName(null)).toBe('')
})
