import { useLingui } from '@lingui/react/macro'
import { Paperclip, SendHorizontal } from 'lucide-react'
import {
  type ClipboardEvent,
  type DragEvent,
  type KeyboardEvent,
  type RefObject,
  useRef,
  useState,
} from 'react'
import type { Conversation, Message, NewMessage } from '@/api'
import { Button, IconButton } from '@/ui/button'
import { Kbd } from '@/ui/kbd'
import { Attachments, useAttachments } from './attachments'
import { CannedPicker, useCannedMatches } from './canned'
import { useAddNote } from './notes'
import { useSend } from './outgoing'
import { nameOf } from './row'
import { fileContent, takesCaption } from './upload'

export type Mode = 'reply' | 'note'

const MOST_CHARACTERS = { reply: 4096, note: 4000 }

type EditorProps = {
  conversation: Conversation
  mode: Mode
  field: RefObject<HTMLTextAreaElement | null>
  text: string
  setText: (text: string) => void
  quoted: Message | null
  onSent: () => void
  onTyping: () => void
}

/** The field itself: Enter sends, Shift+Enter breaks the line, `/` opens the canned replies, files are dropped in. */
export function Editor(props: EditorProps) {
  const { conversation, mode, field, text, setText, quoted, onSent, onTyping } = props
  const { t } = useLingui()
  const write = useWrite(conversation, quoted)
  const addNote = useAddNote(conversation.id)
  const files = useAttachments()
  const isNote = mode === 'note'
  const [cannedId, setCannedId] = useState<string | null>(null)
  const canned = useCannedMatches(isNote ? '' : text)
  const [chosen, setChosen] = useState(0)
  const name = nameOf(conversation.contact)
  const body = text.trim()
  const ready = files.list.every((one) => one.state === 'ready')
  const canSend = isNote ? body !== '' : ready && (body !== '' || files.list.length > 0)
  const submit = () => {
    if (!canSend) return
    if (isNote) addNote.mutate(body, { onError: () => setText(body) })
    else {
      write(
        body,
        files.list.flatMap((one) => one.uploaded ?? []),
        cannedId,
      )
      files.clear()
      onSent()
    }
    setCannedId(null)
    setText('')
  }
  const insert = (place: number) => {
    const reply = canned[place]
    if (!reply) return
    setCannedId(reply.id)
    setText(reply.text.replaceAll('{nombre}', name))
    field.current?.focus()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return
    if (canned.length > 0 && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      event.preventDefault()
      setChosen((chosen + (event.key === 'ArrowDown' ? 1 : canned.length - 1)) % canned.length)
    } else if (event.key === 'Escape') {
      field.current?.blur()
    } else if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault()
      if (canned.length > 0) insert(chosen)
      else submit()
    }
  }
  const onPaste = (event: ClipboardEvent) => {
    if (isNote || event.clipboardData.files.length === 0) return
    event.preventDefault()
    files.add(event.clipboardData.files)
  }
  const onDrop = (event: DragEvent) => {
    event.preventDefault()
    if (!isNote) files.add(event.dataTransfer.files)
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping files is a second way; the button is the first
    <div className="relative" onDragOver={(event) => event.preventDefault()} onDrop={onDrop}>
      <CannedPicker replies={canned} chosen={chosen} onChoose={insert} />
      {!isNote && <Attachments list={files.list} onRemove={files.remove} />}
      <div className="flex items-end gap-2">
        {!isNote && <Attach onFiles={files.add} />}
        <textarea
          ref={field}
          aria-label={isNote ? t`Nota para el equipo` : t`Mensaje para ${name}`}
          aria-haspopup="listbox"
          aria-controls={canned.length > 0 ? 'canned-replies' : undefined}
          aria-activedescendant={canned.length > 0 ? `canned-${chosen}` : undefined}
          aria-autocomplete="list"
          placeholder={isNote ? t`Escribe una nota…` : t`Escribe un mensaje, o / para una respuesta guardada`}
          rows={1}
          maxLength={MOST_CHARACTERS[mode]}
          value={text}
          onChange={(event) => {
            setText(event.target.value)
            setChosen(0)
            onTyping()
          }}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
          className="field-sizing-content max-h-44 min-h-10 w-full resize-none rounded-lg border border-line-strong/60 bg-raised px-3 py-2 leading-snug placeholder:truncate placeholder:text-muted focus-visible:border-accent focus-visible:outline-1 max-md:min-h-11"
        />
        <Button
          look="primary"
          onClick={submit}
          disabled={!canSend}
          className="h-10 max-md:h-11"
          aria-label={isNote ? t`Guardar la nota` : t`Enviar`}
        >
          <SendHorizontal aria-hidden />
        </Button>
      </div>
      <p className="mt-1 flex items-center gap-2 text-[0.72rem] text-muted max-md:hidden">
        <Kbd keys="Enter" /> {t`envía`} <Kbd keys="Shift+Enter" /> {t`salto de línea`}
      </p>
    </div>
  )
}

function Attach({ onFiles }: { onFiles: (files: Iterable<File>) => void }) {
  const { t } = useLingui()
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <IconButton label={t`Adjuntar archivos`} onClick={() => input.current?.click()} className="size-10">
        <Paperclip aria-hidden />
      </IconButton>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label={t`Adjuntar archivos`}
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])])
          event.target.value = ''
        }}
      />
    </>
  )
}

/** Send what was written: files first, the words under the last one that can carry them, or as a message of their own. */
function useWrite(conversation: Conversation, quoted: Message | null) {
  const { send } = useSend()
  return (body: string, files: Parameters<typeof fileContent>[0][], cannedId: string | null) => {
    const extra: Partial<NewMessage> = {
      ...(quoted?.wamid && { reply_to: quoted.wamid }),
      ...(cannedId && { canned_reply_id: cannedId }),
    }
    const carrier = files.findLast(takesCaption)
    for (const file of files) {
      const caption = file === carrier ? body : ''
      send(conversation.id, { content: fileContent(file, caption), ...(file === carrier && extra) }, caption)
    }
    if (body !== '' && !carrier) send(conversation.id, { content: { type: 'text', body }, ...extra }, body)
  }
}
