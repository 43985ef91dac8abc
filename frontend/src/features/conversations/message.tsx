import { useLingui } from '@lingui/react/macro'
import { Bot, CircleHelp, CornerUpLeft, Smartphone, UserRound } from 'lucide-react'
import { memo, type ReactNode } from 'react'
import type { Message } from '@/api'
import { cn } from '@/lib/cn'
import { Bubble, type BubbleTone } from '@/ui/bubble'
import { MarkedText } from '@/ui/marked-text'
import { cardsOf, choicesOf, footerOf, headerOf, placeOf, templateOf } from './content'
import { Media } from './media'
import { QueueActions } from './queue-actions'
import { kindName } from './words'

const TONES: Record<Message['author'], BubbleTone> = {
  customer: 'them',
  bot: 'bot',
  person: 'person',
  phone: 'phone',
}

type MessageProps = {
  message: Message
  reactions: string[]
  quoted: Message | null
  onWhy: (turnId: string) => void
  onQuote: ((message: Message) => void) | null
  isMarked: boolean
}

/** One message of the thread: who, what, when, and what became of it. */
export const MessageBubble = memo(function MessageBubble(props: MessageProps) {
  const { message, reactions, quoted, onWhy, onQuote, isMarked } = props
  const { t } = useLingui()
  const { delivery, turn_id, author } = message
  const canQuote = onQuote !== null && message.wamid !== null
  return (
    <li id={`message-${message.id}`} className={cn('group flex flex-col', reactions.length > 0 && 'mb-2.5')}>
      <div className={cn('flex items-center gap-1', author === 'customer' ? 'flex-row' : 'flex-row-reverse')}>
        <Bubble
          tone={TONES[author]}
          author={<Author author={author} name={message.written_by?.name ?? null} />}
          at={message.sent_at}
          tick={delivery?.tick}
          className={cn('relative', isMarked && 'ring-2 ring-rail-mark', isEnded(message) && 'opacity-65')}
          aside={
            author === 'bot' &&
            turn_id && (
              <button
                type="button"
                onClick={() => onWhy(turn_id)}
                className="inline-flex min-h-[24px] items-center gap-0.5 font-medium text-bot hover:underline"
              >
                <CircleHelp aria-hidden className="size-3.5" />
                {t`¿por qué?`}
              </button>
            )
          }
        >
          {message.reply_to && <Quote message={quoted} />}
          <Content message={message} />
          {reactions.length > 0 && (
            <span className="absolute -bottom-4 left-2 rounded-full border border-line bg-raised px-1.5 text-sm leading-6">
              {reactions.join(' ')}
            </span>
          )}
        </Bubble>
        {canQuote && (
          <button
            type="button"
            aria-label={t`Responder a este mensaje`}
            title={t`Responder a este mensaje`}
            onClick={() => onQuote(message)}
            className="grid size-7 shrink-0 place-items-center rounded-full text-muted opacity-0 hover:bg-sunken focus-visible:opacity-100 group-hover:opacity-100 max-md:opacity-70"
          >
            <CornerUpLeft aria-hidden className="size-4" />
          </button>
        )}
      </div>
      {delivery && <QueueActions message={message} delivery={delivery} />}
    </li>
  )
})

const isEnded = ({ delivery }: Message) =>
  delivery !== null && ['cancelled', 'superseded', 'expired'].includes(delivery.state)

function Author({ author, name: writer }: { author: Message['author']; name: string | null }) {
  const { t } = useLingui()
  if (author === 'customer') return null
  const [Icon, name, colour] = {
    bot: [Bot, t`Bot`, 'text-bot'] as const,
    person: [UserRound, writer ?? t`Equipo`, 'text-person'] as const,
    phone: [Smartphone, t`Teléfono del negocio`, 'text-info'] as const,
  }[author]
  return (
    <span className={cn('inline-flex items-center gap-1', colour)}>
      <Icon aria-hidden />
      {name}
    </span>
  )
}

function Quote({ message }: { message: Message | null }) {
  const { t, i18n } = useLingui()
  const go = () => {
    document.getElementById(`message-${message?.id}`)?.scrollIntoView({ block: 'center', behavior: 'smooth' })
  }
  return (
    <button
      type="button"
      onClick={go}
      disabled={!message}
      className="mb-1 block w-full truncate rounded-md border-line-strong border-l-3 bg-sunken/60 px-2 py-1 text-left text-[0.8rem] text-muted"
    >
      {message ? message.text || i18n._(kindName(message.kind)) : t`Un mensaje anterior`}
    </button>
  )
}

function Content({ message }: { message: Message }) {
  const { i18n } = useLingui()
  const place = placeOf(message)
  const cards = cardsOf(message)
  const header = headerOf(message)
  const footer = footerOf(message)
  const template = templateOf(message)
  if (place)
    return (
      <PlaceCard
        name={place.name}
        address={place.address}
        latitude={place.latitude}
        longitude={place.longitude}
      />
    )
  if (cards.length > 0)
    return cards.map((card) => <ContactCard key={card.name} name={card.name} phones={card.phones} />)
  return (
    <>
      {template && <Small>{`${i18n._(kindName('template'))} · ${template}`}</Small>}
      {message.media && <Media message={message} media={message.media} />}
      {header && <strong className="block">{header}</strong>}
      {message.text ? (
        <MarkedText text={message.text} />
      ) : (
        !message.media && <Small>{i18n._(kindName(message.kind))}</Small>
      )}
      {footer && <Small>{footer}</Small>}
      <Choices choices={choicesOf(message)} />
    </>
  )
}

function Small({ children }: { children: ReactNode }) {
  return <span className="block text-[0.8rem] text-muted italic">{children}</span>
}

function Choices({ choices }: { choices: string[] }) {
  if (choices.length === 0) return null
  return (
    <span className="mt-1.5 flex flex-col gap-1">
      {choices.map((choice) => (
        <span
          key={choice}
          className="rounded-md border border-line bg-surface/70 px-2 py-1 text-center font-medium text-[0.85rem] text-info"
        >
          {choice}
        </span>
      ))}
    </span>
  )
}

function PlaceCard(place: {
  name: string | null
  address: string | null
  latitude: number
  longitude: number
}) {
  const { t } = useLingui()
  const where = `${place.latitude},${place.longitude}`
  return (
    <span className="block">
      <strong className="block">📍 {place.name ?? t`Ubicación`}</strong>
      {place.address && <span className="block text-[0.85rem]">{place.address}</span>}
      <a
        href={`https://www.openstreetmap.org/?mlat=${place.latitude}&mlon=${place.longitude}#map=16/${place.latitude}/${place.longitude}`}
        target="_blank"
        rel="noopener noreferrer nofollow"
        className="tabular text-[0.8rem] text-info underline"
      >
        {where}
      </a>
    </span>
  )
}

function ContactCard({ name, phones }: { name: string; phones: string[] }) {
  return (
    <span className="block">
      <strong className="block">👤 {name}</strong>
      {phones.map((phone) => (
        <span key={phone} className="tabular block select-all text-[0.85rem]">
          {phone}
        </span>
      ))}
    </span>
  )
}
