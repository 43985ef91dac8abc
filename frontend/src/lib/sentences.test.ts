import { expect, test } from 'vitest'
import { type Sentence, translated } from './sentences'

const known: Sentence[] = [
  [/well/, () => ({ id: 'well' })],
  [/(\d+) dead (\w+)/, (count = '', kind = '') => ({ id: 'dead', values: { count, kind } })],
]

test('a sentence is said with what the server filled in', () => {
  expect(translated('3 dead webhook', known)).toEqual({ id: 'dead', values: { count: '3', kind: 'webhook' } })
})

test('a sentence that is only like a known one is left to the server', () => {
  expect(translated('well, not quite', known)).toBeNull()
  expect(translated('something new', known)).toBeNull()
})
