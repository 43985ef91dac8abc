import { useLingui } from '@lingui/react/macro'
import { useQuery, useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { ArrowDown, Bot, LockKeyhole, Trash2 } from 'lucide-react'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import type { Conversation, Message, Note, Turn } from '@/api'
import { notesFindOptions, turnsFindOptions } from '@/api/@tanstack/react-query.gen'
import { weekday } from '@/lib/format'
import { REASONS, TURN_STATES } from '@/lib/why'
import { messageOf } from '@/session/messages'
import { useCan, useMe } from '@/session/session'
import { Bubble } from '@/ui/bubble'
import { Button } from '@/ui/button'
import { MessageBubble } from './message'
import { useDeleteNote } from './notes'
import { notArrived, type Outgoing, useOutgoing, useSend } from './outgoing'
import { loadOlder, loadUntil, threadOptions } from './thread'
import { type Entry, timeline } from './timeline'

const NEAR_END_PX = 120
const none: never[] = []

type ThreadPaneProps = {
  conversation: Conversation
  marked: string | undefined
  onWhy: (turnId: string) => void
  onQuote: ((message: Message) => void) | null
}

/** The thread: it opens at its end, stays there as news arrives, and loads the past without moving what is read. */
export function ThreadPane({ conversation, marked, onWhy, onQuote }: ThreadPaneProps) {
  const { t } = useLingui()
  const queries = useQueryClient()
  const { id } = conversation
  const { data: thread } = useSuspenseQuery(threadOptions(queries, id))
  const path = { conversation_id: id }
  const { data: turns } = useQuery(turnsFindOptions({ path, query: { limit: 50 } }))
  const { data: notes } = useQuery(notesFindOptions({ path, query: { limit: 100 } }))
  const outgoing = useOutgoing(id)
  const entries = useMemo(
    () =>
      timeline({
        messages: thread.messages,
        turns: turns?.items ?? none,
        notes: notes?.items ?? none,
        outgoing: notArrived(outgoing, thread.messages),
        complete: thread.cursor === null,
      }),
    [thread, turns, notes, outgoing],
  )
  const scroll = useThreadScroll(entries, marked)
  const [loading, setLoading] = useState(false)
  const older = () => {
    setLoading(true)
    scroll.keep()
    void loadOlder(queries, id).finally(() => setLoading(false))
  }
  useEffect(() => {
    if (marked) void loadUntil(queries, id, marked)
  }, [queries, id, marked])
  const latest = turns?.items[0]
  return (
    <div className="relative min-h-0 flex-1 bg-thread">
      <div
        ref={scroll.ref}
        onScroll={scroll.onScroll}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label={t`Mensajes`}
        className="h-full overflow-y-auto overflow-x-hidden px-3 py-3 md:px-6"
      >
        {thread.cursor && (
          <div className="pb-3 text-center">
            <Button size="sm" busy={loading} onClick={older}>
              {t`Ver mensajes anteriores`}
            </Button>
          </div>
        )}
        <ol className="mx-auto flex max-w-4xl flex-col gap-1.5">
          {entries.map((entry) => (
            <ThreadEntry
              key={entry.key}
              entry={entry}
              marked={marked}
              onWhy={onWhy}
              onQuote={onQuote}
              conversationId={id}
            />
          ))}
          {conversation.control === 'bot' && latest && <Thinking turn={latest} />}
        </ol>
      </div>
      {scroll.isAway && (
        <button
          type="button"
          aria-label={t`Ir al final`}
          onClick={scroll.toEnd}
          className="absolute right-4 bottom-3 grid size-10 place-items-center rounded-full border border-line bg-raised text-muted shadow-float hover:text-ink"
        >
          <ArrowDown aria-hidden className="size-5" />
        </button>
      )}
    </div>
  )
}

type EntryProps = Omit<ThreadPaneProps, 'conversation'> & { entry: Entry; conversationId: string }

function ThreadEntry({ entry, marked, onWhy, onQuote, conversationId }: EntryProps) {
  switch (entry.kind) {
    case 'day':
      return (
        <li className="my-2 text-center">
          <span className="rounded-full bg-surface px-3 py-1 text-muted text-xs">{weekday(entry.at)}</span>
        </li>
      )
    case 'message':
      return (
        <MessageBubble
          message={entry.message}
          reactions={entry.reactions}
          quoted={entry.quoted}
          onWhy={onWhy}
          onQuote={onQuote}
          isMarked={entry.message.id === marked}
        />
      )
    case 'note':
      return <NoteBubble note={entry.note} conversationId={conversationId} />
    case 'turn':
      return <Silence turn={entry.turn} onWhy={onWhy} />
    case 'outgoing':
      return <OutgoingBubble outgoing={entry.outgoing} />
  }
}

function NoteBubble({ note, conversationId }: { note: Note; conversationId: string }) {
  const { t } = useLingui()
  const { user } = useMe()
  const mayDelete = useCan('conversations:supervise') || note.author.id === user.id
  const remove = useDeleteNote(conversationId)
  return (
    <li className="group flex flex-row-reverse items-center gap-1">
      <Bubble
        tone="note"
        at={note.created_at}
        author={
          <>
            <LockKeyhole aria-hidden />
            {t`Nota de ${note.author.name ?? '—'}`}
          </>
        }
      >
        {note.text}
      </Bubble>
      {mayDelete && (
        <button
          type="button"
          aria-label={t`Borrar la nota`}
          onClick={() => remove.mutate(note.id)}
          className="grid size-7 place-items-center rounded-full text-muted opacity-0 hover:bg-sunken hover:text-danger focus-visible:opacity-100 group-hover:opacity-100 max-md:opacity-70"
        >
          <Trash2 aria-hidden className="size-4" />
        </button>
      )}
    </li>
  )
}

/** A silence says why. */
function Silence({ turn, onWhy }: { turn: Turn; onWhy: (turnId: string) => void }) {
  const { t, i18n } = useLingui()
  return (
    <li className="my-0.5 flex justify-center">
      <p className="flex max-w-full flex-wrap items-center justify-center gap-x-2 rounded-full bg-surface px-3 py-0.5 text-muted text-xs">
        <span>
          {i18n._(TURN_STATES[turn.state])}
          {turn.reason && `: ${i18n._(REASONS[turn.reason])}`}
        </span>
        <button
          type="button"
          onClick={() => onWhy(turn.id)}
          className="min-h-[24px] font-medium text-bot hover:underline"
        >
          {t`¿por qué?`}
        </button>
      </p>
    </li>
  )
}

function Thinking({ turn }: { turn: Turn }) {
  const { t } = useLingui()
  if (turn.state !== 'collecting' && turn.state !== 'thinking') return null
  return (
    <li className="flex items-center gap-1.5 self-end rounded-full bg-bot-soft px-3 py-1 text-bot text-xs">
      <Bot aria-hidden className="size-4" />
      {turn.state === 'thinking' ? t`El bot está pensando…` : t`El bot espera a que termine de escribir…`}
    </li>
  )
}

function OutgoingBubble({ outgoing }: { outgoing: Outgoing }) {
  const { t, i18n } = useLingui()
  const { again, discard } = useSend()
  return (
    <li className="flex flex-col items-end">
      <Bubble
        tone="person"
        at={outgoing.at}
        tick={outgoing.state === 'failed' ? 'failed' : 'queued'}
        className="opacity-80"
      >
        {outgoing.text}
      </Bubble>
      {outgoing.state !== 'sending' && (
        <p className="mt-1 flex flex-wrap items-center justify-end gap-x-3 text-danger text-xs">
          {outgoing.state === 'waiting'
            ? t`Sin conexión: sale en cuanto vuelva.`
            : i18n._(messageOf(outgoing.error))}
          <button
            type="button"
            className="min-h-[24px] font-semibold text-accent hover:underline"
            onClick={() => again(outgoing)}
          >
            {t`Reintentar`}
          </button>
          <button
            type="button"
            className="min-h-[24px] text-muted hover:underline"
            onClick={() => discard(outgoing.id)}
          >
            {t`Descartar`}
          </button>
        </p>
      )}
    </li>
  )
}

/** Keeps the end in sight while one is there, and what one reads in its place while the past is loaded above it. */
function useThreadScroll(entries: Entry[], marked: string | undefined) {
  const ref = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  const kept = useRef<number | null>(null)
  const [isAway, setIsAway] = useState(false)
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is shown has changed when `entries` has
  useLayoutEffect(() => {
    const box = ref.current
    if (!box) return
    if (kept.current !== null) {
      box.scrollTop = box.scrollHeight - kept.current
      kept.current = null
    } else if (atEnd.current && !marked) {
      box.scrollTop = box.scrollHeight
    }
  }, [entries, marked])
  const shown = useRef<string | undefined>(undefined)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the marked message may come with a later `entries`
  useLayoutEffect(() => {
    if (shown.current === marked) return
    const found = marked && document.getElementById(`message-${marked}`)
    if (!found) return
    shown.current = marked
    atEnd.current = false
    found.scrollIntoView({ block: 'center' })
  }, [entries, marked])
  useEffect(() => {
    const box = ref.current
    if (!box) return
    // Pictures that load, and a composer that grows, must not push the end out of sight.
    const observer = new ResizeObserver(() => {
      if (atEnd.current) box.scrollTop = box.scrollHeight
    })
    observer.observe(box)
    for (const child of box.children) observer.observe(child)
    return () => observer.disconnect()
  }, [])
  return {
    ref,
    isAway,
    onScroll: () => {
      const box = ref.current
      if (!box) return
      atEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END_PX
      setIsAway(!atEnd.current)
    },
    keep: () => {
      const box = ref.current
      if (box) kept.current = box.scrollHeight - box.scrollTop
    },
    toEnd: () => {
      ref.current?.scrollTo({ top: ref.current.scrollHeight, behavior: 'smooth' })
    },
  }
}
