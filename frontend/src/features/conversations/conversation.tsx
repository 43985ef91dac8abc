import { useLingui } from '@lingui/react/macro'
import { type QueryClient, useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Suspense, useEffect, useRef, useState } from 'react'
import type { Message } from '@/api'
import { conversationsShowOptions, turnsFindQueryKey } from '@/api/@tanstack/react-query.gen'
import { useLive } from '@/live/live'
import { useCan } from '@/session/session'
import { Drawer } from '@/ui/dialog'
import { Pane } from '@/ui/error-pane'
import { useMediaQuery } from '@/ui/media-query'
import { Skeleton, SkeletonRows } from '@/ui/skeleton'
import { useActions } from './actions'
import { Composer } from './composer'
import { ContextPanel } from './context-panel'
import type { Filter } from './filter'
import { Header } from './header'
import type { InboxIndex } from './inbox-index'
import { refreshNotes } from './notes'
import { Presence, usePresence } from './presence'
import { refreshThread } from './thread'
import { ThreadPane } from './thread-pane'
import { useApply } from './use-inbox'
import { Why } from './why'

const SETTLE_MS = 120
const PANEL_KEY = 'mostrador.pane.context'

type ConversationProps = { id: string; index: InboxIndex; filter: Filter }

/** A conversation: its head, its thread, where one writes, and the card of the contact beside it. */
export function ConversationPane({ id, index, filter }: ConversationProps) {
  const { t } = useLingui()
  const navigate = useNavigate()
  const { data: conversation } = useSuspenseQuery(conversationsShowOptions({ path: { conversation_id: id } }))
  const canAnswer = useCan('conversations:answer')
  const actions = useActions(conversation, useApply(index))
  const wide = useMediaQuery('(width >= 1100px)')
  const [panel, setPanel] = useState(() => localStorage.getItem(PANEL_KEY) !== 'closed')
  const [drawer, setDrawer] = useState(false)
  const [whyId, setWhyId] = useState<string | null>(null)
  const [quoted, setQuoted] = useState<Message | null>(null)
  const presence = usePresence(id)
  useThreadLive(id)
  useMarkRead(conversation.unread, canAnswer, actions.read.mutate)
  const togglePanel = () => {
    if (!wide) return setDrawer(!drawer)
    localStorage.setItem(PANEL_KEY, panel ? 'closed' : 'open')
    setPanel(!panel)
  }
  const toNext = () => {
    const place = index.order.indexOf(id)
    const next = index.order.filter((one) => one !== id)[Math.max(0, place)]
    if (next)
      void navigate({ to: '/inbox/$conversationId', params: { conversationId: next }, search: filter })
    else void navigate({ to: '/inbox', search: filter })
  }
  const context = (
    <Pane resetKey={id}>
      <Suspense fallback={<SkeletonRows rows={3} />}>
        <ContextPanel conversation={conversation} onWhy={setWhyId} />
      </Suspense>
    </Pane>
  )
  return (
    <div className="flex h-full min-w-0">
      <section aria-label={t`Conversación`} className="flex h-full min-w-0 flex-1 flex-col">
        <Header
          conversation={conversation}
          actions={actions}
          filter={filter}
          presence={<Presence others={presence.others} />}
          isPanelOpen={wide ? panel : drawer}
          togglePanel={togglePanel}
          onClosed={toNext}
        />
        <Pane resetKey={id}>
          <Suspense fallback={<ThreadSkeleton />}>
            <ThreadPane
              key={id}
              conversation={conversation}
              marked={filter.message}
              onWhy={setWhyId}
              onQuote={canAnswer ? setQuoted : null}
            />
          </Suspense>
        </Pane>
        {canAnswer && (
          <Composer
            conversation={conversation}
            quoted={quoted}
            onQuoteEnd={() => setQuoted(null)}
            onTyping={presence.typing}
          />
        )}
      </section>
      {wide && panel && (
        <aside
          aria-label={t`Ficha`}
          className="h-full w-72 shrink-0 overflow-y-auto border-line border-l bg-surface"
        >
          {context}
        </aside>
      )}
      <Drawer open={drawer && !wide} onClose={() => setDrawer(false)} title={t`Ficha`}>
        <div className="-mx-4">{context}</div>
      </Drawer>
      <Why turnId={whyId} onClose={() => setWhyId(null)} />
    </div>
  )
}

function ThreadSkeleton() {
  return (
    <div className="flex flex-1 flex-col justify-end gap-3 bg-thread p-6">
      <Skeleton className="h-12 w-2/5 rounded-xl" />
      <Skeleton className="h-16 w-1/2 self-end rounded-xl" />
      <Skeleton className="h-10 w-1/3 rounded-xl" />
    </div>
  )
}

/** Fetch what has changed, once for all hints that come within a moment. */
function useThreadLive(id: string): void {
  const queries = useQueryClient()
  const pending = useRef(new Set<string>())
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  useLive(`conversation:${id}`, (event) => {
    pending.current.add(event.type.startsWith('note.') ? 'notes' : 'thread')
    clearTimeout(timer.current)
    timer.current = setTimeout(() => {
      void refresh(queries, id, pending.current)
      pending.current = new Set()
    }, SETTLE_MS)
  })
}

function refresh(queries: QueryClient, id: string, parts: Set<string>): Promise<unknown> {
  const path = { conversation_id: id }
  const work: Promise<unknown>[] = []
  if (parts.has('notes')) work.push(refreshNotes(queries, id))
  if (parts.has('thread')) {
    work.push(
      refreshThread(queries, id),
      queries.invalidateQueries({ queryKey: turnsFindQueryKey({ path, query: { limit: 50 } }) }),
      queries.invalidateQueries({ queryKey: conversationsShowOptions({ path }).queryKey }),
    )
  }
  return Promise.all(work)
}

/** What is open before somebody's eyes has been read. */
function useMarkRead(unread: number, canAnswer: boolean, read: () => void): void {
  const latest = useRef(read)
  latest.current = read
  useEffect(() => {
    if (unread === 0 || !canAnswer) return
    const mark = () => document.visibilityState === 'visible' && latest.current()
    mark()
    document.addEventListener('visibilitychange', mark)
    return () => document.removeEventListener('visibilitychange', mark)
  }, [unread, canAnswer])
}
