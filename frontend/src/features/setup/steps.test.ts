import { expect, test } from 'vitest'
import type { Setup } from '@/api'
import { after, nextStep, withSkipped } from './steps'

const setup = (states: Partial<Record<string, 'done' | 'todo' | 'skipped'>>): Setup => ({
  finished_at: null,
  steps: (['profile', 'provider', 'channel', 'test_message', 'team'] as const).map((name) => ({
    name,
    state: states[name] ?? 'todo',
    detail: null,
  })),
})

test('it goes on where it was left, and ends with the phone', () => {
  expect(nextStep(setup({}))).toBe('profile')
  expect(nextStep(setup({ profile: 'done', provider: 'skipped' }))).toBe('channel')
  expect(nextStep(setup({ profile: 'done', provider: 'done', channel: 'done', team: 'done' }))).toBe(
    'test_message',
  )
  expect(after('channel')).toBe('team')
  expect(after('test_message')).toBeNull()
})

test('skipping one step keeps the others that were skipped', () => {
  const some = setup({ provider: 'skipped', channel: 'skipped', profile: 'done' })
  expect(withSkipped(some, 'team', true)).toEqual(['provider', 'channel', 'team'])
  expect(withSkipped(some, 'channel', false)).toEqual(['provider'])
})
