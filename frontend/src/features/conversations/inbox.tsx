import { useLingui } from '@lingui/react/macro'
import { MessagesSquare } from 'lucide-react'
import { Suspense } from 'react'
import { EmptyState } from '@/ui/empty-state'
import { Pane } from '@/ui/error-pane'
import { useMediaQuery } from '@/ui/media-query'
import { SkeletonRows } from '@/ui/skeleton'
import { SplitPane } from '@/ui/split-pane'
import { ConversationPane } from './conversation'
import type { Filter } from './filter'
import { Filters } from './filters'
import { List } from './list'
import { useInbox } from './use-inbox'

/** The inbox: the list at the left, the open conversation at the right; on a phone one of the two. */
export function Inbox({ filter, openId }: { filter: Filter; openId: string | undefined }) {
  const { t } = useLingui()
  const index = useInbox(filter)
  const isPhone = useMediaQuery('(width < 768px)')
  const list = (
    <section aria-label={t`Bandeja`} className="flex h-full min-h-0 flex-col bg-surface">
      {!openId && <h1 className="sr-only">{t`Bandeja`}</h1>}
      <Filters filter={filter} />
      <div className="min-h-0 flex-1">
        <Pane>
          <List index={index} filter={filter} openId={openId} />
        </Pane>
      </div>
    </section>
  )
  const conversation = openId ? (
    <Pane resetKey={openId}>
      <Suspense fallback={<SkeletonRows />}>
        <ConversationPane id={openId} index={index} filter={filter} />
      </Suspense>
    </Pane>
  ) : (
    <EmptyState
      className="h-full bg-thread"
      icon={<MessagesSquare aria-hidden />}
      title={t`Elige una conversación`}
    >
      {t`Con J y K pasas de una a otra; con ? ves todos los atajos.`}
    </EmptyState>
  )
  if (isPhone) return openId ? conversation : list
  return <SplitPane id="inbox" first={list} second={conversation} initial={360} least={280} most={520} />
}
