import { expect, test } from 'vitest'
import type { BusinessProfile } from '@/api'
import { changedParts, rebase, withParts } from './merge'

const base: BusinessProfile = {
  name: 'Café Sol',
  description: '',
  language: 'es',
  tone: 'Cercano',
  greeting: '',
  disclosure: 'Soy un programa.',
  hours: null,
  outside_hours_message: '',
  facts: [],
  answer_policy: 'everyone',
  paused: false,
}

test('changes of different parts live together', () => {
  const merged = rebase(base, { ...base, tone: 'Formal' }, { ...base, paused: true, greeting: 'Hola' })
  expect(merged.profile).toMatchObject({ tone: 'Formal', paused: true, greeting: 'Hola' })
  expect(merged.theirs).toEqual(['greeting', 'paused'])
  expect(merged.both).toEqual([])
})

test('where both changed the same part mine stands, and it is told', () => {
  const stored = { ...base, facts: [{ heading: 'Pago', text: 'Efectivo' }] }
  const mine = { ...base, facts: [{ heading: 'Envíos', text: 'Sí' }] }
  const merged = rebase(base, mine, stored)
  expect(merged.both).toEqual(['facts'])
  expect(merged.profile.facts).toEqual(mine.facts)
  expect(withParts(merged.profile, stored, merged.both)).toEqual(stored)
})

test('the same change made twice is no clash', () => {
  const changed = { ...base, name: 'Café Luna' }
  expect(rebase(base, changed, changed)).toMatchObject({ profile: changed, both: [] })
  expect(changedParts(base, changed)).toEqual(['name'])
})
