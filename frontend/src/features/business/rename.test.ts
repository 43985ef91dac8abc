import { expect, test } from 'vitest'
import type { BusinessProfile } from '@/api'
import { renamed } from './rename'

const profile = {
  name: 'Mi negocio',
  disclosure: 'Soy el asistente de Mi negocio, un programa.',
  greeting: '¡Hola!',
} as BusinessProfile

test('a new name also stands where the assistant says it', () => {
  expect(renamed(profile, ' Café Sol ')).toMatchObject({
    name: ' Café Sol ',
    disclosure: 'Soy el asistente de Café Sol, un programa.',
  })
})

test('an empty name takes no text away', () => {
  expect(renamed(profile, '').disclosure).toBe(profile.disclosure)
})
