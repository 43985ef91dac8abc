import { useLingui } from '@lingui/react/macro'
import { useQuery } from '@tanstack/react-query'
import type { CannedReply } from '@/api'
import { cannedRepliesFindOptions } from '@/api/@tanstack/react-query.gen'
import { cn } from '@/lib/cn'
import { fold } from '@/lib/fold'

const MOST_SHOWN = 8

/** The canned replies that `/gra` may mean, those used most first; none where no slash was typed. */
export function useCannedMatches(text: string): CannedReply[] {
  const typed = /^\/(\S*)$/.exec(text)?.[1]
  const { data } = useQuery({
    ...cannedRepliesFindOptions({ query: { limit: 100 } }),
    enabled: typed !== undefined,
  })
  return typed === undefined ? [] : cannedMatches(data?.items ?? [], typed)
}

export function cannedMatches(replies: CannedReply[], typed: string): CannedReply[] {
  const wanted = fold(typed)
  return replies
    .filter((one) => fold(one.shortcut).startsWith(wanted) || fold(one.title).includes(wanted))
    .sort((one, other) => other.uses - one.uses)
    .slice(0, MOST_SHOWN)
}

type PickerProps = { replies: CannedReply[]; chosen: number; onChoose: (place: number) => void }

export function CannedPicker({ replies, chosen, onChoose }: PickerProps) {
  const { t } = useLingui()
  if (replies.length === 0) return null
  return (
    <div
      id="canned-replies"
      role="listbox"
      aria-label={t`Respuestas guardadas`}
      className="absolute bottom-full left-0 z-20 mb-2 max-h-72 w-full max-w-xl overflow-y-auto rounded-lg border border-line bg-raised p-1 shadow-float"
    >
      {replies.map((reply, place) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the text field's, which keeps the focus
        <div
          key={reply.id}
          id={`canned-${place}`}
          role="option"
          tabIndex={-1}
          aria-selected={place === chosen}
          onClick={() => onChoose(place)}
          className={cn('cursor-default rounded-md px-2.5 py-1.5', place === chosen && 'bg-accent-soft')}
        >
          <p className="flex items-baseline gap-2 text-sm">
            <span className="font-semibold text-accent">/{reply.shortcut}</span>
            <span className="truncate">{reply.title}</span>
          </p>
          <p className="truncate text-muted text-xs">{reply.text}</p>
        </div>
      ))}
    </div>
  )
}
