import type { CustomerWrites } from '@/api'
import orderPdf from './samples/order.pdf?url'
import photoJpg from './samples/photo.jpg?url'
import voiceOgg from './samples/voice-note.ogg?url'

export type Written = CustomerWrites['message']
export type FileKind = 'image' | 'audio' | 'document' | 'video'

const SAMPLES: Record<'image' | 'audio' | 'document', { url: string; name: string; type: string }> = {
  image: { url: photoJpg, name: 'foto.jpg', type: 'image/jpeg' },
  audio: { url: voiceOgg, name: 'nota-de-voz.ogg', type: 'audio/ogg; codecs=opus' },
  document: { url: orderPdf, name: 'pedido.pdf', type: 'application/pdf' },
}

/** A file that looks like what customers send, for whoever has none at hand. */
export async function sampleFile(kind: keyof typeof SAMPLES): Promise<File> {
  const { url, name, type } = SAMPLES[kind]
  const answer = await fetch(url)
  if (!answer.ok) throw new Error(`the sample ${name} is missing`)
  return new File([await answer.blob()], name, { type })
}

/** Which kind of message a file becomes: what WhatsApp does not show travels as a document. */
export function kindOf(type: string): FileKind {
  if (/^image\/(jpeg|png)$/.test(type)) return 'image'
  if (/^video\/(mp4|3gpp)$/.test(type)) return 'video'
  if (/^audio\/(aac|amr|mpeg|mp4|ogg)\b/.test(type)) return 'audio'
  return 'document'
}

/** The message that carries a file, its bytes as base64. */
export async function messageWith(file: File, caption: string, reply_to: string | null): Promise<Written> {
  const data = base64(new Uint8Array(await file.arrayBuffer()))
  const common = { data, mime_type: file.type || 'application/octet-stream', reply_to }
  const kind = kindOf(file.type)
  switch (kind) {
    case 'audio':
      return { ...common, type: kind, voice: true }
    case 'document':
      return { ...common, type: kind, filename: file.name, caption: caption || null }
    default:
      return { ...common, type: kind, caption: caption || null }
  }
}

const CHUNK = 0x8000 // as many arguments as every engine takes

export function base64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(at, at + CHUNK))
  }
  return btoa(text)
}
