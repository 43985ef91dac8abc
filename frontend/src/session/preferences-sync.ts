import type { QueryClient } from '@tanstack/react-query'
import { preferencesRead, preferencesReplace } from '@/api'
import { changePreferences, onPreferences, type Preferences, preferences } from '@/lib/preferences'

const same = (now: Preferences, saved: string): boolean => {
  const before = JSON.parse(saved) as Preferences
  return (Object.keys(now) as (keyof Preferences)[]).every((name) => now[name] === before[name])
}

/** Take over what this person chose elsewhere, then keep every later choice. Returns how to stop. */
export function syncPreferences(queries: QueryClient): () => void {
  let saved: string | null = null
  const save = () => {
    const now = preferences()
    if (saved === null || same(now, saved)) return
    saved = JSON.stringify(now)
    // It stands in this browser all the same; the next change tries again.
    preferencesReplace({ body: now, keepalive: true }).catch(() => {})
  }
  const stop = onPreferences(save)
  void queries
    .fetchQuery({
      queryKey: ['preferences'],
      queryFn: async () => (await preferencesRead()).data,
      staleTime: 0,
    })
    .then((kept: Preferences) => {
      saved = JSON.stringify(kept)
      // A language that was chosen at the door stands until this person has chosen one.
      changePreferences({ ...kept, language: kept.language ?? preferences().language })
    })
    .catch(() => {})
  return stop
}
