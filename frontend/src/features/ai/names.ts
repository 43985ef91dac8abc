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
