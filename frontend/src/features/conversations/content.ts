import type { Message } from '@/api'

// A message's payload is WhatsApp's own JSON, or our content of a message that leaves. Nothing in it is certain, so it
// is read one member at a time.
type Json = { [key: string]: unknown }

const object = (value: unknown): Json | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null
const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)
const number = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

const payloadOf = (message: Message): Json => object(message.payload) ?? {}

/** The part of a payload that is about its kind: inside a member of that name as it came, at the top as it leaves. */
function bodyOf(message: Message): Json {
  const payload = payloadOf(message)
  return object(payload[message.kind]) ?? payload
}

export function reactionOf(message: Message): { target: string; emoji: string } | null {
  if (message.kind !== 'reaction') return null
  const body = bodyOf(message)
  const target = text(body.message_id)
  return target ? { target, emoji: text(body.emoji) ?? '' } : null
}

export type Place = { latitude: number; longitude: number; name: string | null; address: string | null }

export function placeOf(message: Message): Place | null {
  if (message.kind !== 'location') return null
  const body = bodyOf(message)
  const [latitude, longitude] = [number(body.latitude), number(body.longitude)]
  if (latitude === null || longitude === null) return null
  return { latitude, longitude, name: text(body.name), address: text(body.address) }
}

export function cardsOf(message: Message): { name: string; phones: string[] }[] {
  if (message.kind !== 'contacts') return []
  return list(payloadOf(message).contacts).flatMap((one) => {
    const card = object(one)
    const name = text(object(card?.name)?.formatted_name) ?? text(card?.formatted_name)
    const phones = list(card?.phones).flatMap((phone) => text(object(phone)?.phone) ?? [])
    return name ? [{ name, phones }] : []
  })
}

export const isVoice = (message: Message): boolean =>
  message.kind === 'audio' && bodyOf(message).voice === true

/** The buttons, or the rows of the menu, that a message of ours offers. */
export function choicesOf(message: Message): string[] {
  const payload = payloadOf(message)
  const buttons = list(payload.buttons).flatMap((one) => text(object(one)?.title) ?? [])
  const rows = list(payload.sections).flatMap((section) =>
    list(object(section)?.rows).flatMap((row) => text(object(row)?.title) ?? []),
  )
  const link = payload.type === 'cta_url' ? text(payload.display_text) : null
  return [...buttons, ...rows, ...(link ? [link] : [])]
}

export const footerOf = (message: Message): string | null => text(payloadOf(message).footer)
export const headerOf = (message: Message): string | null => text(object(payloadOf(message).header)?.text)
export const templateOf = (message: Message): string | null =>
  message.kind === 'template' ? text(payloadOf(message).name) : null
