import { i18n, type Messages } from '@lingui/core'
import { LOCALES, type Locale, onPreferences, preferences } from './preferences'

const CATALOGS: Record<Locale, () => Promise<{ messages: Messages }>> = {
  es: () => import('../locales/es.po'),
  en: () => import('../locales/en.po'),
  'pt-BR': () => import('../locales/pt-BR.po'),
}

/** The chosen language, or else the first of the browser's that the panel speaks, or else Spanish. */
export function locale(): Locale {
  return preferences().language ?? spoken(navigator.languages) ?? 'es'
}

export function spoken(languages: readonly string[]): Locale | undefined {
  for (const language of languages) {
    const base = language.toLowerCase().split('-')[0]
    const found = LOCALES.find((one) => one.toLowerCase().split('-')[0] === base)
    if (found) return found
  }
  return undefined
}

/** Load the language of this browser, and follow every later choice without a reload. */
export async function followLanguage(): Promise<void> {
  await activate(locale())
  onPreferences(() => {
    if (i18n.locale !== locale()) void activate(locale())
  })
}

async function activate(wanted: Locale): Promise<void> {
  const { messages } = await CATALOGS[wanted]()
  i18n.loadAndActivate({ locale: wanted, messages })
  document.documentElement.lang = wanted
}
