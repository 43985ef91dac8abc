import type { MessageDescriptor } from '@lingui/core'
import { msg } from '@lingui/core/macro'
import type { ProviderToAdd } from '@/api'

export type Kind = ProviderToAdd['provider']

/** How the makers write their own names. */
const NAMES: Record<Kind, string> = {
  openai: 'OpenAI',
  gemini: 'Google Gemini',
  claude: 'Anthropic Claude',
  xai: 'xAI Grok',
  openrouter: 'OpenRouter',
  ollama: 'Ollama',
  lm_studio: 'LM Studio',
  compatible: 'OpenAI-compatible',
}

export const KINDS = Object.keys(NAMES) as Kind[]

export const providerName = (provider: string): string => NAMES[provider as Kind] ?? provider

/** What a person needs to know to fill in the form: an example of a model, and whether there is a key to give. */
export const FORMS: Record<Kind, { model: string; key: 'needed' | 'none' | 'optional'; address?: string }> = {
  openai: { model: 'gpt-5.4-mini', key: 'needed' },
  gemini: { model: 'gemini-2.5-flash-lite', key: 'needed' },
  claude: { model: 'claude-haiku-4-5', key: 'needed' },
  xai: { model: 'grok-4-1-fast', key: 'needed' },
  openrouter: { model: 'google/gemini-2.5-flash-lite:free', key: 'needed' },
  ollama: { model: 'llama3.2:3b', key: 'none', address: 'http://localhost:11434' },
  lm_studio: { model: 'nemotron-mini-4b-instruct', key: 'optional', address: 'http://localhost:1234' },
  compatible: { model: 'mistral-small', key: 'optional', address: 'https://models.example.com/v1' },
}

const ERRORS: Record<string, MessageDescriptor> = {
  rate: msg`Demasiadas peticiones por ahora`,
  quota: msg`Se acabó el cupo o el saldo en el proveedor`,
  overload: msg`El proveedor está saturado`,
  server: msg`El proveedor falló por dentro`,
  network: msg`No se pudo conectar`,
  timeout: msg`No respondió a tiempo`,
  malformed: msg`Respondió algo que no es una respuesta`,
  auth: msg`Rechazó la clave`,
  not_found: msg`No conoce ese modelo o esa dirección`,
  context: msg`La conversación es demasiado larga para el modelo`,
  param: msg`Rechazó un parámetro`,
  refusal: msg`El modelo se negó a responder`,
  bad_request: msg`Rechazó la petición`,
  disabled: msg`Está apagado`,
  no_images: msg`No entiende imágenes`,
  context_too_small: msg`La conversación es demasiado larga para el modelo`,
  cool_down: msg`Está en espera`,
  breaker_open: msg`Está en pausa por fallos seguidos`,
  minute_budget: msg`Agotó las peticiones de este minuto`,
  day_budget: msg`Agotó las peticiones de hoy`,
  money_budget: msg`Agotó el gasto de hoy`,
  busy: msg`Está ocupado`,
}

/** Why a provider did not answer, by the kind that the API names. */
export const errorName = (kind: string | null): MessageDescriptor =>
  (kind !== null && ERRORS[kind]) || msg`No respondió`
