import { expect, test } from 'vitest'
import { indented } from './indented'

test('JSON gets its lines, and what is none stays as it came', () => {
  expect(indented('{"a":[1,"é"]}')).toBe('{\n  "a": [\n    1,\n    "é"\n  ]\n}')
  expect(indented('{"a":')).toBe('{"a":')
})

test('a number that JavaScript would round is shown as it came', () => {
  expect(indented('{"id":12345678901234567890}')).toBe('{"id":12345678901234567890}')
})
