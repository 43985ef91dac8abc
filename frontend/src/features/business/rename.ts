import type { BusinessProfile } from '@/api'

/** The profile under another name, also where its own texts say the old one. */
export function renamed(profile: BusinessProfile, name: string): BusinessProfile {
  const old = profile.name.trim()
  const say = (text: string) => (old && name.trim() ? text.replaceAll(old, name.trim()) : text)
  return { ...profile, name, disclosure: say(profile.disclosure), greeting: say(profile.greeting) }
}
