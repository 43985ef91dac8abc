import { mediaBring, type NewMessage, type UploadedMedia } from '@/api'

/** Hand a file to the server, for a message that will take it along. */
export async function upload(file: File, signal?: AbortSignal): Promise<UploadedMedia> {
  const { data } = await mediaBring({
    body: file,
    query: { name: file.name.slice(-200) },
    headers: { 'Content-Type': file.type || 'application/octet-stream' },
    signal,
  })
  return data
}

/** The message that carries an uploaded file, with what was written beside it. */
export function fileContent(file: UploadedMedia, caption: string): NewMessage['content'] {
  const words = caption ? { caption } : {}
  switch (file.kind) {
    case 'image':
    case 'video':
      return { type: file.kind, media_id: file.media_id, ...words }
    case 'audio':
    case 'sticker':
      return { type: file.kind, media_id: file.media_id }
    case 'document':
      return { type: 'document', media_id: file.media_id, filename: file.filename ?? undefined, ...words }
  }
}

/** WhatsApp shows no words beside these. */
export const takesCaption = (file: UploadedMedia): boolean => file.kind !== 'audio' && file.kind !== 'sticker'
