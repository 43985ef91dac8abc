import { useLingui } from '@lingui/react/macro'
import { FileText, LoaderCircle, X } from 'lucide-react'
import { useState } from 'react'
import type { UploadedMedia } from '@/api'
import { bytes } from '@/lib/format'
import { messageOf } from '@/session/messages'
import { upload } from './upload'

export type Attachment = {
  id: string
  file: File
  state: 'uploading' | 'ready' | 'failed'
  uploaded: UploadedMedia | null
  error: unknown
  abort: AbortController
}

/** The files that wait to be sent: each uploads at once, and can be taken back. */
export function useAttachments(): {
  list: Attachment[]
  add: (files: Iterable<File>) => void
  remove: (id: string) => void
  clear: () => void
} {
  const [list, setList] = useState<Attachment[]>([])
  const change = (id: string, to: Partial<Attachment>) =>
    setList((now) => now.map((one) => (one.id === id ? { ...one, ...to } : one)))
  const start = (file: File): Attachment => {
    const abort = new AbortController()
    const id = crypto.randomUUID()
    void upload(file, abort.signal).then(
      (uploaded) => change(id, { state: 'ready', uploaded }),
      (error: unknown) => change(id, { state: 'failed', error }),
    )
    return { id, file, state: 'uploading', uploaded: null, error: null, abort }
  }
  return {
    list,
    add: (files) => {
      const started = [...files].map(start)
      setList((now) => [...now, ...started])
    },
    remove: (id) =>
      setList((now) => {
        now.find((one) => one.id === id)?.abort.abort()
        return now.filter((one) => one.id !== id)
      }),
    clear: () => setList([]),
  }
}

export function Attachments({ list, onRemove }: { list: Attachment[]; onRemove: (id: string) => void }) {
  const { t, i18n } = useLingui()
  if (list.length === 0) return null
  return (
    <ul aria-label={t`Archivos`} className="mb-2 flex flex-wrap gap-2">
      {list.map((one) => (
        <li
          key={one.id}
          className="flex max-w-full items-center gap-2 rounded-lg border border-line bg-raised py-1 pr-1 pl-2 text-[0.83rem]"
        >
          {one.state === 'uploading' ? (
            <LoaderCircle role="img" aria-label={t`Subiendo`} className="size-4 animate-spin text-accent" />
          ) : (
            <FileText aria-hidden className="size-4 text-muted" />
          )}
          <span className="min-w-0">
            <span className="block max-w-48 truncate font-medium">{one.file.name}</span>
            <span
              className={one.state === 'failed' ? 'block text-danger text-xs' : 'block text-muted text-xs'}
            >
              {one.state === 'failed' ? i18n._(messageOf(one.error)) : bytes(one.file.size)}
            </span>
          </span>
          <button
            type="button"
            aria-label={t`Quitar ${one.file.name}`}
            onClick={() => onRemove(one.id)}
            className="grid size-7 place-items-center rounded text-muted hover:bg-sunken hover:text-ink"
          >
            <X aria-hidden className="size-4" />
          </button>
        </li>
      ))}
    </ul>
  )
}
