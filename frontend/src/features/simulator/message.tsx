import { useLingui } from '@lingui/react/macro'
import { Ban, FileText, List, MapPin, Reply } from 'lucide-react'
import type { Choice, PhoneMessage } from '@/api'
import { cn } from '@/lib/cn'
import { Bubble } from '@/ui/bubble'
import { MarkedText } from '@/ui/marked-text'
import { BubbleMenu } from './bubble-menu'
import { isDeleted } from './screen'

export type Doings = {
  reply: (message: PhoneMessage) => void
  react: (message: PhoneMessage, emoji: string) => void
  remove: (message: PhoneMessage) => void
  tap: (message: PhoneMessage, choice: Choice) => void
}

type MessageProps = {
  message: PhoneMessage
  quoted: PhoneMessage | undefined
  business: string
  doings: Doings
}

export function MessageOnPhone({ message, quoted, business, doings }: MessageProps) {
  const { t } = useLingui()
  const author = message.mine ? t`Tú` : business
  return (
    <li
      id={message.id}
      aria-label={author}
      className={cn('group/message flex gap-0.5', message.mine && 'flex-row-reverse')}
    >
      <div className={cn('relative flex min-w-0 max-w-[85%] flex-col', message.reaction && 'pb-3')}>
        <Bubble
          tone={message.mine ? 'person' : 'them'}
          at={message.at}
          tick={message.tick === 'none' ? null : message.tick}
          className="max-w-full"
        >
          {message.reply_to && <Quote message={quoted} business={business} />}
          <Content message={message} />
        </Bubble>
        <Choices message={message} onTap={(choice) => doings.tap(message, choice)} />
        {message.reaction && (
          <span
            className={cn(
              'absolute bottom-0 rounded-full border border-line bg-raised px-1.5 text-sm leading-5.5',
              message.mine ? 'right-2' : 'left-2',
            )}
          >
            <span className="sr-only">{t`Reacción:`} </span>
            {message.reaction}
          </span>
        )}
      </div>
      {!isDeleted(message) && (
        <BubbleMenu
          message={message}
          onReply={() => doings.reply(message)}
          onReact={(emoji) => doings.react(message, emoji)}
          onDelete={() => doings.remove(message)}
        />
      )}
    </li>
  )
}

/** The message that another one answers, in a line or two. */
export function Quote({ message, business }: { message: PhoneMessage | undefined; business: string }) {
  const { t } = useLingui()
  return (
    <span className="mb-1 block border-accent border-l-3 bg-sunken/60 py-1 pr-2 pl-2 text-[0.8rem]">
      <span className="block font-semibold text-accent">
        {message ? (message.mine ? t`Tú` : business) : t`Mensaje anterior`}
      </span>
      <span className="line-clamp-2 text-muted">{message?.text || '…'}</span>
    </span>
  )
}

function Content({ message }: { message: PhoneMessage }) {
  const { t } = useLingui()
  if (isDeleted(message)) {
    return (
      <span className="flex items-center gap-1.5 text-muted italic">
        <Ban aria-hidden className="size-3.5" />
        {t`Mensaje eliminado`}
      </span>
    )
  }
  switch (message.kind) {
    case 'image':
    case 'sticker':
    case 'video':
    case 'audio':
    case 'document':
      return <Media message={message} />
    case 'location':
      return (
        <span className="flex items-center gap-2">
          <span className="grid size-10 shrink-0 place-items-center rounded-lg bg-info-soft text-info">
            <MapPin aria-hidden className="size-5" />
          </span>
          {message.text}
        </span>
      )
    default:
      return <MarkedText text={message.text} />
  }
}

function Media({ message }: { message: PhoneMessage }) {
  const { t } = useLingui()
  const source = message.media_id ? `/api/simulator/media/${message.media_id}` : null
  // The simulator names files without a caption by their kind.
  const caption = message.text === `[${message.kind}]` ? '' : message.text
  if (!source) return <span className="text-muted">{caption || message.kind}</span>
  switch (message.kind) {
    case 'image':
    case 'sticker':
      return (
        <>
          <img
            src={source}
            alt={caption || t`Foto`}
            loading="lazy"
            decoding="async"
            className={cn(
              '-mx-1.5 mt-0.5 mb-1 max-h-72 min-h-16 min-w-32 max-w-[calc(100%+0.75rem)] rounded-lg bg-sunken object-cover',
              message.kind === 'sticker' && 'min-w-0 max-w-32 bg-transparent',
            )}
          />
          {caption && <MarkedText text={caption} />}
        </>
      )
    case 'audio':
      return (
        // biome-ignore lint/a11y/useMediaCaption: a voice note has none
        <audio
          controls
          preload="metadata"
          src={source}
          aria-label={t`Nota de voz`}
          className="my-1 h-10 w-60 max-w-full"
        />
      )
    case 'video':
      return (
        <>
          {/* biome-ignore lint/a11y/useMediaCaption: a customer's video has none */}
          <video controls preload="metadata" src={source} className="my-1 max-h-72 max-w-full rounded-lg" />
          {caption && <MarkedText text={caption} />}
        </>
      )
    default:
      return (
        <a
          href={source}
          download={caption || 'document'}
          className="my-0.5 flex items-center gap-2 rounded-lg bg-sunken/70 px-2.5 py-2 hover:underline"
        >
          <FileText aria-hidden className="size-6 shrink-0 text-danger" />
          <span className="min-w-0 [overflow-wrap:anywhere]">{caption || t`Documento`}</span>
        </a>
      )
  }
}

function Choices({ message, onTap }: { message: PhoneMessage; onTap: (choice: Choice) => void }) {
  if (message.choices.length === 0) return null
  return (
    <div className="mt-1 flex flex-col gap-1">
      {message.choices.map((choice) => (
        <button
          key={`${choice.kind} ${choice.id}`}
          type="button"
          onClick={() => onTap(choice)}
          className="flex min-h-9 items-center justify-center gap-1.5 rounded-lg bg-surface px-3 py-1.5 font-medium text-[0.87rem] text-info shadow-[0_1px_1px_rgb(40_34_20/8%)] hover:bg-raised max-md:min-h-11"
        >
          {choice.kind === 'list_reply' ? (
            <List aria-hidden className="size-4" />
          ) : (
            <Reply aria-hidden className="size-4" />
          )}
          {choice.title}
        </button>
      ))}
    </div>
  )
}
