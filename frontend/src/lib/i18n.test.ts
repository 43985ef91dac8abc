import { expect, test } from 'vitest'
import { spoken } from './i18n'

test('the first language of the browser that the panel speaks is taken', () => {
  expect(spoken(['fr-FR', 'pt-PT', 'en'])).toBe('pt-BR')
  expect(spoken(['en-GB'])).toBe('en')
  expect(spoken(['de', 'fr'])).toBeUndefined()
})
