import { useLingui } from '@lingui/react/macro'
import { Download, FileText, Mic } from 'lucide-react'
import { useState } from 'react'
import type { MediaSummary, Message } from '@/api'
import { bytes } from '@/lib/format'
import { Dialog } from '@/ui/dialog'
import { plainName } from '@/ui/names'
import { isVoice } from './content'
import { kindName } from './words'

// Only what a browser shows without running anything of it; the rest is for saving.
const IMAGES = ['image/jpeg', 'image/png', 'image/webp', 'image/gif']
const SOUNDS = /^audio\/(ogg|mpeg|mp4|aac|amr|wav|webm)/
const FILMS = ['video/mp4', 'video/webm']

const urlOf = (media: MediaSummary) => `/api/media/${media.id}`

/** The file of a message. The server hands files out as attachments in a sandbox; here they are only looked at. */
export function Media({ message, media }: { message: Message; media: MediaSummary }) {
  const { t, i18n } = useLingui()
  const [broken, setBroken] = useState(false)
  if (media.state !== 'stored') {
    const why =
      media.state === 'pending'
        ? t`descargando…`
        : media.state === 'refused'
          ? t`rechazado`
          : t`no se pudo descargar`
    return <Note>{`${i18n._(kindName(media.kind))}: ${why}`}</Note>
  }
  const type = media.mime_type ?? ''
  if (broken) return <FileCard media={media} />
  if (IMAGES.includes(type)) {
    return <Picture media={media} isSticker={media.kind === 'sticker'} onError={() => setBroken(true)} />
  }
  if (SOUNDS.test(type)) {
    return (
      <span className="my-1 flex items-center gap-2">
        {isVoice(message) && (
          <Mic role="img" aria-label={t`Nota de voz`} className="size-4 shrink-0 text-accent" />
        )}
        {/* biome-ignore lint/a11y/useMediaCaption: the transcript, where there is one, stands below as text */}
        <audio controls preload="none" src={urlOf(media)} className="h-10 w-64 max-w-full" />
      </span>
    )
  }
  if (FILMS.includes(type)) {
    return (
      // biome-ignore lint/a11y/useMediaCaption: what customers film has no captions
      <video
        controls
        preload="metadata"
        src={urlOf(media)}
        className="my-1 max-h-72 w-72 max-w-full rounded-lg bg-black"
      />
    )
  }
  return <FileCard media={media} />
}

type PictureProps = { media: MediaSummary; isSticker: boolean; onError: () => void }

function Picture({ media, isSticker, onError }: PictureProps) {
  const { t, i18n } = useLingui()
  const [open, setOpen] = useState(false)
  const name = plainName(media.filename) || i18n._(kindName(media.kind))
  return (
    <>
      <button type="button" onClick={() => setOpen(true)} className="my-1 block overflow-hidden rounded-lg">
        <img
          src={urlOf(media)}
          alt={name}
          loading="lazy"
          decoding="async"
          onError={onError}
          className={
            isSticker
              ? 'size-28 object-contain'
              : 'max-h-72 min-h-16 min-w-16 max-w-full bg-sunken object-cover'
          }
        />
      </button>
      <Dialog open={open} onClose={() => setOpen(false)} title={name} wide>
        <img src={urlOf(media)} alt={name} className="mx-auto max-h-[70dvh] max-w-full object-contain" />
        <p className="mt-3 text-center">
          <a
            href={urlOf(media)}
            download
            className="inline-flex items-center gap-1.5 font-medium text-accent hover:underline"
          >
            <Download aria-hidden className="size-4" />
            {t`Descargar`}
          </a>
        </p>
      </Dialog>
    </>
  )
}

function FileCard({ media }: { media: MediaSummary }) {
  const { i18n } = useLingui()
  const name = plainName(media.filename) || i18n._(kindName(media.kind))
  return (
    <a
      href={urlOf(media)}
      download
      className="my-1 flex max-w-72 items-center gap-2.5 rounded-lg border border-line bg-surface/70 p-2 hover:border-line-strong"
    >
      <FileText aria-hidden className="size-7 shrink-0 text-muted" />
      <span className="min-w-0 flex-1">
        <span className="block truncate font-medium text-[0.87rem]">{name}</span>
        <span className="block text-muted text-xs">
          {media.size_bytes !== null && bytes(media.size_bytes)}
        </span>
      </span>
      <Download aria-hidden className="size-4 shrink-0 text-muted" />
    </a>
  )
}

function Note({ children }: { children: string }) {
  return (
    <span className="my-1 block rounded-md bg-sunken/70 px-2 py-1.5 text-[0.85rem] text-muted">
      {children}
    </span>
  )
}
