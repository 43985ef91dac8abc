import { useLingui } from '@lingui/react/macro'
import { useQueryClient } from '@tanstack/react-query'
import { CheckCheck, MessageCircle } from 'lucide-react'
import { Fragment, type ReactNode, useEffect, useRef, useState } from 'react'
import { type Choice, type CustomerView, type PhoneMessage, simulatorRead, simulatorWrite } from '@/api'
import { simulatorPeopleQueryKey } from '@/api/@tanstack/react-query.gen'
import { dayKey, weekday } from '@/lib/format'
import { messageOf } from '@/session/messages'
import { Avatar } from '@/ui/avatar'
import { IconButton } from '@/ui/button'
import { plainName } from '@/ui/names'
import { PhoneFrame } from '@/ui/phone-frame'
import { toast } from '@/ui/toast'
import { Composer } from './composer'
import type { Written } from './files'
import { type Doings, MessageOnPhone } from './message'
import { bubbles, lastWritten } from './screen'
import { usePhone } from './use-phone'

type PhoneProps = {
  person: CustomerView
  /** What the business is called here. */
  business: string
  clock?: ReactNode
  actions?: ReactNode
  fill?: boolean
}

/** A person's phone with the business's chat open. What is written here reaches the product as from WhatsApp. */
export function Phone({ person, business, clock, actions, fill }: PhoneProps) {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const { screen, isLoaded } = usePhone(person.id)
  const [quotedId, setQuotedId] = useState<string | null>(null)
  const input = useRef<HTMLTextAreaElement>(null)
  const messages = bubbles(screen.messages)
  const byId = new Map(screen.messages.map((message) => [message.id, message]))
  const fail = (error: unknown) => toast.error(i18n._(messageOf(error)))

  async function write(message: Written): Promise<boolean> {
    try {
      await simulatorWrite({ path: { person_id: person.id }, body: { message } })
      void queries.invalidateQueries({ queryKey: simulatorPeopleQueryKey() })
      return true
    } catch (error) {
      fail(error)
      return false
    }
  }

  const doings: Doings = {
    reply: (message) => {
      setQuotedId(message.id)
      input.current?.focus()
    },
    react: (message, emoji) => void write({ type: 'reaction', message_id: message.id, emoji }),
    remove: (message) => void write({ type: 'revoke', message_id: message.id }),
    tap: (message, choice) => void write(tapOn(message, choice)),
  }

  return (
    <PhoneFrame
      fill={fill}
      title={business}
      subtitle={screen.typing ? t`escribiendo…` : t`Escribes como ${plainName(person.name)}`}
      avatar={<Avatar name={business} className="size-9" />}
      clock={clock}
      offline={!person.reachable}
      actions={
        <>
          {!person.reads && (
            <IconButton
              label={t`Leer los mensajes`}
              className="text-rail-ink hover:bg-rail-active-bg hover:text-rail-active"
              onClick={() => void simulatorRead({ path: { person_id: person.id } }).catch(fail)}
            >
              <CheckCheck aria-hidden />
            </IconButton>
          )}
          {actions}
        </>
      }
      footer={
        <Composer
          business={business}
          input={input}
          quoted={(quotedId && byId.get(quotedId)) || null}
          onUnquote={() => setQuotedId(null)}
          onWrite={write}
          onFailure={fail}
          lastWritten={lastWritten(screen.messages)}
        />
      }
    >
      {isLoaded && messages.length === 0 && (
        <div className="mx-auto mt-6 max-w-64 rounded-xl bg-note px-4 py-3 text-center text-note-ink text-sm">
          <MessageCircle aria-hidden className="mx-auto mb-1 size-5" />
          {t`Escribe como si fueras ${plainName(person.name)}. Lo que digas llega a la bandeja igual que desde WhatsApp.`}
        </div>
      )}
      <Chat messages={messages} byId={byId} business={business} typing={screen.typing} doings={doings} />
    </PhoneFrame>
  )
}

function tapOn(message: PhoneMessage, choice: Choice): Written {
  const reply_to = message.id
  if (choice.kind === 'button') return { type: 'button', payload: choice.id, text: choice.title, reply_to }
  return { type: choice.kind, id: choice.id, title: choice.title, reply_to }
}

type ChatProps = {
  messages: readonly PhoneMessage[]
  byId: ReadonlyMap<string, PhoneMessage>
  business: string
  typing: boolean
  doings: Doings
}

function Chat({ messages, byId, business, typing, doings }: ChatProps) {
  const { t } = useLingui()
  const end = useRef<HTMLDivElement>(null)
  const count = messages.length
  // biome-ignore lint/correctness/useExhaustiveDependencies: it goes to the end when there is something new there
  useEffect(() => {
    end.current?.scrollIntoView({ block: 'end' })
  }, [count, typing])
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <div role="log" aria-label={t`Conversación con ${business}`} tabIndex={0} className="outline-offset-4">
      <ol className="flex flex-col gap-1.5">
        {messages.map((message, place) => (
          <Fragment key={message.id}>
            <Day at={message.at} before={messages[place - 1]?.at} />
            <MessageOnPhone
              message={message}
              quoted={message.reply_to ? byId.get(message.reply_to) : undefined}
              business={business}
              doings={doings}
            />
          </Fragment>
        ))}
      </ol>
      {typing && <Typing />}
      <div ref={end} />
    </div>
  )
}

function Day({ at, before }: { at: string; before: string | undefined }) {
  if (before && dayKey(before) === dayKey(at)) return null
  return (
    <li className="my-1.5 self-center rounded-full bg-surface/90 px-3 py-0.5 text-muted text-xs first-letter:uppercase">
      {weekday(at)}
    </li>
  )
}

function Typing() {
  const { t } = useLingui()
  return (
    <div
      role="img"
      aria-label={t`El negocio está escribiendo`}
      className="mt-1.5 flex w-fit gap-1 rounded-xl rounded-tl-sm bg-surface px-3.5 py-3"
    >
      {[0, 150, 300].map((delay) => (
        <span
          key={delay}
          className="size-1.5 animate-bounce rounded-full bg-muted"
          style={{ animationDelay: `${delay}ms` }}
        />
      ))}
    </div>
  )
}
