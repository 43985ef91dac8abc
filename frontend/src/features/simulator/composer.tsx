import { Trans, useLingui } from '@lingui/react/macro'
import { FileText, Image, MapPin, Mic, Paperclip, Plus, Send, X } from 'lucide-react'
import { type RefObject, useRef, useState } from 'react'
import type { PhoneMessage } from '@/api'
import { cn } from '@/lib/cn'
import { IconButton } from '@/ui/button'
import { Menu, MenuItem, MenuSeparator } from '@/ui/menu'
import { messageWith, sampleFile, type Written } from './files'
import { Quote } from './message'

type ComposerProps = {
  business: string
  quoted: PhoneMessage | null
  onUnquote: () => void
  /** Resolves when the message is on its way. */
  onWrite: (message: Written) => Promise<boolean>
  onFailure: (error: unknown) => void
  lastWritten: string | null
  input: RefObject<HTMLTextAreaElement | null>
}

/** Where the customer writes. Enter sends; the arrow up brings back what was written last. */
export function Composer(props: ComposerProps) {
  const { t } = useLingui()
  const [text, setText] = useState('')
  const { quoted, onUnquote, onWrite } = props
  const reply_to = quoted?.id ?? null

  async function write(message: Written): Promise<boolean> {
    const done = await onWrite(message)
    if (done) onUnquote()
    return done
  }

  async function sendText() {
    const body = text.trim()
    if (!body) return
    setText('')
    if (!(await write({ type: 'text', body, reply_to }))) setText((newer) => newer || body)
  }

  async function sendFile(file: Promise<File> | File) {
    try {
      if (await write(await messageWith(await file, text.trim(), reply_to))) setText('')
    } catch (error) {
      props.onFailure(error)
    }
  }

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        void sendText()
      }}
    >
      {quoted && (
        <div className="mb-1 flex items-start gap-1 rounded-xl bg-surface p-1.5">
          <div className="min-w-0 flex-1">
            <Quote message={quoted} business={props.business} />
          </div>
          <IconButton label={t`No responder a este mensaje`} onClick={onUnquote}>
            <X aria-hidden />
          </IconButton>
        </div>
      )}
      <div className="flex items-end gap-1.5">
        <div className="flex min-w-0 flex-1 items-end rounded-3xl bg-surface pl-1 shadow-[0_1px_1px_rgb(40_34_20/8%)]">
          <Attach onSend={(message) => void write(message)} onFile={(file) => void sendFile(file)} />
          <textarea
            ref={props.input}
            rows={1}
            value={text}
            aria-label={t`Mensaje del cliente`}
            placeholder={t`Mensaje`}
            onChange={(event) => setText(event.target.value)}
            onKeyDown={(event) => {
              if (event.nativeEvent.isComposing) return
              if (event.key === 'Enter' && !event.shiftKey) {
                event.preventDefault()
                void sendText()
              }
              if (event.key === 'ArrowUp' && text === '' && props.lastWritten) {
                event.preventDefault()
                setText(props.lastWritten)
              }
            }}
            className="field-sizing-content max-h-32 min-h-10 min-w-0 flex-1 resize-none bg-transparent px-1.5 py-2.5 text-[0.93rem] leading-tight outline-none placeholder:text-muted max-md:min-h-11"
          />
        </div>
        <button
          type="submit"
          aria-label={t`Enviar`}
          disabled={text.trim() === ''}
          className={cn(
            'grid size-10 shrink-0 place-items-center rounded-full bg-accent text-on-accent transition-opacity hover:bg-accent-strong disabled:opacity-45 max-md:size-11',
          )}
        >
          <Send aria-hidden className="size-4.5" />
        </button>
      </div>
      <p className="mt-1 px-3 text-[0.7rem] text-muted max-md:hidden">
        <Trans>Intro envía · ↑ repite lo último</Trans>
      </p>
    </form>
  )
}

function Attach({
  onSend,
  onFile,
}: {
  onSend: (message: Written) => void
  onFile: (file: Promise<File> | File) => void
}) {
  const { t } = useLingui()
  const picker = useRef<HTMLInputElement>(null)
  return (
    <>
      <Menu
        align="start"
        trigger={
          <button
            type="button"
            aria-label={t`Adjuntar`}
            className="grid size-10 shrink-0 place-items-center rounded-full text-muted hover:text-ink max-md:size-11"
          >
            <Plus aria-hidden className="size-5" />
          </button>
        }
      >
        <MenuItem icon={<Image aria-hidden />} onSelect={() => onFile(sampleFile('image'))}>
          {t`Foto de ejemplo`}
        </MenuItem>
        <MenuItem icon={<Mic aria-hidden />} onSelect={() => onFile(sampleFile('audio'))}>
          {t`Nota de voz de ejemplo`}
        </MenuItem>
        <MenuItem icon={<FileText aria-hidden />} onSelect={() => onFile(sampleFile('document'))}>
          {t`Documento de ejemplo`}
        </MenuItem>
        <MenuItem
          icon={<MapPin aria-hidden />}
          onSelect={() =>
            onSend({ type: 'location', latitude: -34.6037, longitude: -58.3816, name: t`Plaza del centro` })
          }
        >
          {t`Ubicación`}
        </MenuItem>
        <MenuSeparator />
        <MenuItem icon={<Paperclip aria-hidden />} onSelect={() => picker.current?.click()}>
          {t`Un archivo tuyo…`}
        </MenuItem>
      </Menu>
      <input
        ref={picker}
        type="file"
        hidden
        aria-label={t`Archivo`}
        onChange={(event) => {
          const file = event.target.files?.[0]
          event.target.value = ''
          if (file) onFile(file)
        }}
      />
    </>
  )
}
