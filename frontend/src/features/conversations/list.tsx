import { useLingui } from '@lingui/react/macro'
import { useNavigate } from '@tanstack/react-router'
import { ArrowUp, Inbox as InboxIcon, Search } from 'lucide-react'
import { type MouseEvent, useCallback, useEffect, useRef, useState } from 'react'
import { usePreferences } from '@/lib/preferences'
import { Button } from '@/ui/button'
import { EmptyState } from '@/ui/empty-state'
import { ErrorPane } from '@/ui/error-pane'
import { useShortcut } from '@/ui/keys'
import { SkeletonRows } from '@/ui/skeleton'
import { VirtualList } from '@/ui/virtual-list'
import type { Filter } from './filter'
import { Hits } from './hits'
import type { InboxIndex } from './inbox-index'
import { Row } from './row'
import { useIndexState, useOrder } from './use-inbox'

const KEYS_HOLD_MS = 4000

type ListProps = { index: InboxIndex; filter: Filter; openId: string | undefined }

/** The conversations of a filter. Nothing moves under a pointer, nor while somebody walks through with the keys. */
export function List({ index, filter, openId }: ListProps) {
  const { t } = useLingui()
  const navigate = useNavigate()
  const order = useOrder(index)
  const waiting = useIndexState(index, (one) => one.waiting)
  const status = useIndexState(index, (one) => one.status)
  const { density } = usePreferences()
  const [focusedId, setFocusedId] = useState(openId)
  useEffect(() => setFocusedId(openId), [openId])
  const held = useHold(index)
  const open = useCallback(
    (id: string) =>
      void navigate({
        to: '/inbox/$conversationId',
        params: { conversationId: id },
        search: { ...filter, message: undefined },
      }),
    [navigate, filter],
  )
  const step = (by: number) => {
    held.byKeys()
    const place = focusedId ? order.indexOf(focusedId) : -1
    const next = order[Math.min(order.length - 1, Math.max(0, place + by))]
    if (next) {
      setFocusedId(next)
      open(next)
    }
  }
  const group = t`Bandeja`
  useShortcut({ keys: 'j', label: t`Conversación siguiente`, group, run: () => step(1) })
  useShortcut({ keys: 'k', label: t`Conversación anterior`, group, run: () => step(-1) })
  useShortcut({ keys: 'ArrowDown', label: t`Conversación siguiente`, group, run: () => step(1) })
  useShortcut({ keys: 'ArrowUp', label: t`Conversación anterior`, group, run: () => step(-1) })
  const onClick = (event: MouseEvent) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey)
      return
    const link = (event.target as Element).closest<HTMLElement>('[data-conversation]')
    if (!link?.dataset.conversation) return
    event.preventDefault()
    open(link.dataset.conversation)
  }
  if (status === 'failed') return <ErrorPane error={index.error} retry={() => void index.refresh()} />
  if (status === 'loading') return <SkeletonRows rows={9} />
  if (order.length === 0) {
    return (
      <div className="h-full overflow-y-auto">
        <Empty filter={filter} />
        {filter.q && <Hits filter={filter} />}
      </div>
    )
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: one listener for the links inside, which the keyboard reaches
    // biome-ignore lint/a11y/useKeyWithClickEvents: Enter on a link is a click
    <div
      className="relative h-full"
      onClick={onClick}
      onPointerEnter={held.enter}
      onPointerLeave={held.leave}
    >
      {waiting > 0 && (
        <div className="absolute inset-x-0 top-2 z-10 flex justify-center">
          <Button
            look="primary"
            size="sm"
            className="rounded-full shadow-float"
            onClick={() => index.release()}
          >
            {t`${waiting} con novedades`}
            <ArrowUp aria-hidden />
          </Button>
        </div>
      )}
      <VirtualList
        label={t`Conversaciones`}
        className="h-full overflow-y-auto"
        count={order.length}
        rowHeight={density === 'compact' ? 58 : 70}
        rowKey={(place) => order[place] ?? String(place)}
        footer={filter.q && <Hits filter={filter} />}
        onEnd={index.hasMore ? () => void index.more() : undefined}
        focused={focusedId ? order.indexOf(focusedId) : undefined}
        row={(place) => {
          const id = order[place]
          return (
            id && <Row key={id} index={index} id={id} isOpen={id === openId} isFocused={id === focusedId} />
          )
        }}
      />
    </div>
  )
}

/** Keeps the list still while a pointer rests on it or keys walk through it. */
function useHold(index: InboxIndex): { enter: () => void; leave: () => void; byKeys: () => void } {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const pointed = useRef(false)
  useEffect(() => () => clearTimeout(timer.current), [])
  return {
    enter: () => {
      pointed.current = true
      index.hold(true)
    },
    leave: () => {
      pointed.current = false
      index.hold(false)
    },
    byKeys: () => {
      index.hold(true)
      clearTimeout(timer.current)
      timer.current = setTimeout(() => index.hold(pointed.current), KEYS_HOLD_MS)
    },
  }
}

function Empty({ filter }: { filter: Filter }) {
  const { t } = useLingui()
  const navigate = useNavigate()
  if (filter.q || filter.control || (filter.view && filter.view !== 'open')) {
    return (
      <EmptyState
        icon={<Search aria-hidden />}
        title={t`Nada por aquí`}
        action={<Button onClick={() => void navigate({ to: '/inbox' })}>{t`Ver todas las abiertas`}</Button>}
      >
        {filter.q
          ? t`Ninguna conversación coincide con «${filter.q}».`
          : t`Ninguna conversación está así ahora.`}
      </EmptyState>
    )
  }
  return (
    <EmptyState icon={<InboxIcon aria-hidden />} title={t`Todavía no escribió nadie`}>
      {t`Cuando un cliente escriba por WhatsApp, su conversación aparecerá aquí al momento.`}
    </EmptyState>
  )
}
