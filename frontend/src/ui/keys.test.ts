import { expect, test } from 'vitest'
import { pressedKeys, readable } from './keys'

const press = (key: string, held: Partial<KeyboardEvent> = {}) =>
  pressedKeys({ key, metaKey: false, ctrlKey: false, altKey: false, ...held })

test('keys are told by what they write, whatever the layout', () => {
  expect(press('?')).toBe('?')
  expect(press('K', { ctrlKey: true })).toBe('mod+k')
  expect(press('ArrowDown', { altKey: true })).toBe('alt+ArrowDown')
})

test('they are shown as they stand on the keyboard', () => {
  expect(readable('mod+k')).toEqual(['Ctrl', 'K'])
  expect(readable('g i')).toEqual(['G', 'I'])
  expect(readable('Enter')).toEqual(['↵'])
})
