import { useLingui } from '@lingui/react/macro'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { ListFilter, Search, X } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import type { InboxCounts } from '@/api'
import { channelsFindOptions, conversationsCountsOptions } from '@/api/@tanstack/react-query.gen'
import { cn } from '@/lib/cn'
import { IconButton } from '@/ui/button'
import { useShortcut } from '@/ui/keys'
import { Select } from '@/ui/select'
import { type Filter, VIEWS, type View } from './filter'
import { CONTROL_NAMES, VIEW_NAMES } from './words'

const COUNTED: Partial<Record<View, keyof InboxCounts>> = {
  mine: 'mine',
  unassigned: 'unassigned',
  attention: 'attention',
  unread: 'unread',
}

/** What the list shows: a view, a search, and finer choices behind a button. All of it stands in the address. */
export function Filters({ filter }: { filter: Filter }) {
  const { t, i18n } = useLingui()
  const change = useChange(filter)
  const { data: counts } = useQuery(conversationsCountsOptions())
  const [fine, setFine] = useState(Boolean(filter.control || filter.channel))
  const { view = 'open' } = filter
  useTitle(counts?.unread ?? 0)
  return (
    <div className="flex flex-col gap-2 border-line border-b bg-surface px-3 pt-3 pb-2">
      <div className="flex items-center gap-1.5">
        <SearchBox filter={filter} />
        <IconButton label={t`Más filtros`} active={fine} onClick={() => setFine(!fine)}>
          <ListFilter aria-hidden />
        </IconButton>
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot scroll sideways */}
      <div
        role="group"
        aria-label={t`Vista`}
        className="-mx-1 flex gap-1 overflow-x-auto px-1 [scrollbar-width:none]"
      >
        {VIEWS.map((one) => {
          const counted = COUNTED[one]
          const count = counted && counts ? counts[counted] : 0
          return (
            <button
              key={one}
              type="button"
              aria-pressed={view === one}
              onClick={() => change({ view: one === 'open' ? undefined : one })}
              className={cn(
                'flex h-7 shrink-0 items-center gap-1.5 rounded-full border border-line px-2.5 text-[0.8rem] text-muted hover:border-line-strong hover:text-ink max-md:h-9',
                'aria-pressed:border-accent aria-pressed:bg-accent-soft aria-pressed:font-semibold aria-pressed:text-accent',
              )}
            >
              {i18n._(VIEW_NAMES[one])}
              {count > 0 && (
                <span className={cn('tabular text-xs', one === 'attention' && 'font-semibold text-warn')}>
                  {count >= 1000 ? '999+' : count}
                </span>
              )}
            </button>
          )
        })}
      </div>
      {fine && <FineFilters filter={filter} />}
    </div>
  )
}

function FineFilters({ filter }: { filter: Filter }) {
  const { t, i18n } = useLingui()
  const change = useChange(filter)
  const { data } = useQuery(channelsFindOptions())
  const controls = [
    { value: 'all' as const, label: t`Atienda quien atienda` },
    ...(['bot', 'person', 'nobody'] as const).map((value) => ({
      value,
      label: i18n._(CONTROL_NAMES[value]),
    })),
  ]
  const channels = [
    { value: 'all', label: t`Todos los números` },
    ...(data?.items ?? []).map((one) => ({ value: one.id, label: one.name })),
  ]
  return (
    <div className="flex gap-2">
      <Select
        label={t`Quién atiende`}
        value={filter.control ?? 'all'}
        options={controls}
        onChange={(control) => change({ control: control === 'all' ? undefined : control })}
        className="h-8 text-[0.8rem]"
      />
      <Select
        label={t`Número`}
        value={filter.channel ?? 'all'}
        options={channels}
        onChange={(channel) => change({ channel: channel === 'all' ? undefined : channel })}
        className="h-8 text-[0.8rem]"
      />
    </div>
  )
}

function SearchBox({ filter }: { filter: Filter }) {
  const { t } = useLingui()
  const change = useChange(filter)
  const input = useRef<HTMLInputElement>(null)
  const [text, setText] = useState(filter.q ?? '')
  useEffect(() => setText(filter.q ?? ''), [filter.q])
  useEffect(() => {
    const wanted = text.trim()
    if (wanted === (filter.q ?? '')) return
    const timer = setTimeout(() => change({ q: wanted || undefined }), 250)
    return () => clearTimeout(timer)
  }, [text, filter.q, change])
  useShortcut({ keys: '/', label: t`Buscar`, group: t`Bandeja`, run: () => input.current?.focus() })
  return (
    <div className="relative min-w-0 flex-1">
      <Search
        aria-hidden
        className="pointer-events-none absolute top-2 left-2.5 size-4 text-muted max-md:top-3.5"
      />
      <input
        ref={input}
        type="search"
        aria-label={t`Buscar personas y mensajes`}
        placeholder={t`Buscar personas y mensajes`}
        value={text}
        maxLength={100}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') {
            setText('')
            event.currentTarget.blur()
          }
        }}
        className="h-8 w-full rounded-md border border-line bg-sunken/60 pr-8 pl-8 text-[0.87rem] placeholder:text-muted focus-visible:border-accent focus-visible:bg-raised focus-visible:outline-1 max-md:h-11 [&::-webkit-search-cancel-button]:hidden"
      />
      {text && (
        <button
          type="button"
          aria-label={t`Borrar la búsqueda`}
          onClick={() => setText('')}
          className="absolute top-1 right-1 grid size-7 place-items-center rounded text-muted hover:bg-sunken max-md:top-2.5"
        >
          <X aria-hidden className="size-4" />
        </button>
      )}
    </div>
  )
}

/** Change part of the filter; the open conversation stays open. */
function useChange(filter: Filter): (change: Partial<Filter>) => void {
  const navigate = useNavigate()
  const latest = useRef(filter)
  latest.current = filter
  const [change] = useState(() => (part: Partial<Filter>) => {
    const search = Object.fromEntries(
      Object.entries({ ...latest.current, ...part }).filter(([, value]) => value),
    )
    void navigate({ to: '.', search, replace: true })
  })
  return change
}

function useTitle(unread: number): void {
  const { t } = useLingui()
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}) ` : ''}${t`Bandeja`} · Mostrador`
  }, [unread, t])
}
