import { useSyncExternalStore } from 'react'

/** How one person wants the panel; kept by this browser. Its own file `boot.js` reads the same before the first paint. */
export type Preferences = {
  language: Locale | null
  theme: 'system' | 'light' | 'dark'
  density: 'comfortable' | 'compact'
  shortcuts_enabled: boolean
  sound: boolean
}

export const LOCALES = ['es', 'en', 'pt-BR'] as const
export type Locale = (typeof LOCALES)[number]

const KEY = 'mostrador.preferences'
const DEFAULTS: Preferences = {
  language: null,
  theme: 'system',
  density: 'comfortable',
  shortcuts_enabled: true,
  sound: false,
}
const listeners = new Set<() => void>()
let kept = read()

function read(): Preferences {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}')
    return { ...DEFAULTS, ...(stored as Partial<Preferences>) }
  } catch {
    return DEFAULTS
  }
}

export function preferences(): Preferences {
  return kept
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(onPreferences, preferences)
}

/** Be told of every change, those of other tabs included. Returns how to stop. */
export function onPreferences(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function changePreferences(change: Partial<Preferences>): void {
  kept = { ...kept, ...change }
  try {
    localStorage.setItem(KEY, JSON.stringify(kept))
  } catch {
    // Private windows of some browsers keep nothing: the choice then lasts as long as the page.
  }
  tell()
}

function tell(): void {
  for (const listener of listeners) listener()
}

if (typeof window !== 'undefined') {
  window.addEventListener('storage', (event) => {
    if (event.key === KEY) {
      kept = read()
      tell()
    }
  })
}
