import { expect, test } from 'vitest'
import { timesOf, withFault } from './fault-menu'

test('a fault is put in force with what its kind needs, and taken away again', () => {
  const slow = withFault([], 'slow', 3)
  expect(slow).toEqual([{ kind: 'slow', count: 3, seconds: 5 }])
  const both = withFault(slow, 'error', null)
  expect(both.at(-1)).toEqual({ kind: 'error', count: null, code: 130429 })
  expect(withFault(both, 'error', 1, 131056).at(-1)).toEqual({ kind: 'error', count: 1, code: 131056 })
  expect(withFault(both, 'error', 0)).toEqual(slow)
})

test('how often a fault still strikes is told in the words of the menu', () => {
  expect(timesOf(undefined)).toBe(0)
  expect(timesOf({ kind: 'slow', count: 2 })).toBe(3)
  expect(timesOf({ kind: 'slow' })).toBeNull()
})
