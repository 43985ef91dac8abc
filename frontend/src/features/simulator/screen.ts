import type { CustomerView, PhoneMessage, PhoneView } from '@/api'

/** What a phone shows, as far as it was fetched. */
export type Screen = { seq: number; typing: boolean; messages: readonly PhoneMessage[] }

export const BLANK: Screen = { seq: 0, typing: false, messages: [] }

/** Put what changed on the screen. An answer that counts from the beginning replaces it. */
export function merge(screen: Screen, news: PhoneView, whole: boolean): Screen {
  const known = whole ? [] : screen.messages
  const changed = new Map(news.messages.map((message) => [message.id, message]))
  const kept = known.map((message) => {
    const next = changed.get(message.id)
    changed.delete(message.id)
    return next ?? message
  })
  return { seq: news.seq, typing: news.typing, messages: [...kept, ...changed.values()] }
}

// Their effect shows on the message they are about.
const ON_ANOTHER = new Set(['reaction', 'edit', 'revoke'])

/** The messages that are bubbles of their own. */
export function bubbles(messages: readonly PhoneMessage[]): PhoneMessage[] {
  return messages.filter((message) => !(message.mine && ON_ANOTHER.has(message.kind)))
}

export const isDeleted = (message: PhoneMessage): boolean => message.kind === 'text' && message.text === ''

/** What the person wrote last, to write it once more. */
export function lastWritten(messages: readonly PhoneMessage[]): string | null {
  return messages.findLast((message) => message.mine && message.kind === 'text' && message.text)?.text ?? null
}

const WINDOW_SECONDS = 24 * 3600

/** Seconds for which the business may still write freely; null when the person never wrote. */
export function windowLeft(person: CustomerView, now: Date): number | null {
  if (!person.last_wrote_at) return null
  return Math.max(0, WINDOW_SECONDS - (now.getTime() - Date.parse(person.last_wrote_at)) / 1000)
}
