import { useLingui } from '@lingui/react/macro'
import { useMutation, useQuery, useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { type Conversation, contactsChange, type Turn } from '@/api'
import { channelsFindOptions, contactsShowOptions, turnsFindOptions } from '@/api/@tanstack/react-query.gen'
import { phone } from '@/lib/format'
import { REASONS, TURN_STATES } from '@/lib/why'
import { messageOf } from '@/session/messages'
import { useCan } from '@/session/session'
import { Avatar } from '@/ui/avatar'
import { Badge } from '@/ui/badge'
import { DateTime } from '@/ui/date-time'
import { Switch } from '@/ui/switch'
import { toast } from '@/ui/toast'
import { nameOf } from './row'

/** Who the customer is, who looks after them, and what the bot did lately. */
export function ContextPanel({
  conversation,
  onWhy,
}: {
  conversation: Conversation
  onWhy: (turnId: string) => void
}) {
  const { t } = useLingui()
  const name = nameOf(conversation.contact)
  return (
    <div className="flex flex-col gap-5 p-4 text-sm">
      <div className="flex flex-col items-center gap-1.5 pt-1 text-center">
        <Avatar name={name} className="size-16 text-xl" />
        <p className="max-w-full break-words font-semibold text-base">{name}</p>
        {conversation.contact.phone && (
          <p className="tabular select-all text-muted">{phone(conversation.contact.phone)}</p>
        )}
      </div>
      <Facts conversation={conversation} />
      <ContactFacts contactId={conversation.contact.id} />
      <section>
        <h2 className="mb-1.5 font-semibold">{t`Últimos turnos del bot`}</h2>
        <Turns conversationId={conversation.id} onWhy={onWhy} />
      </section>
    </div>
  )
}

function Facts({ conversation }: { conversation: Conversation }) {
  const { t, i18n } = useLingui()
  const { data } = useQuery(channelsFindOptions())
  const channel = data?.items.find((one) => one.id === conversation.channel_id)
  const { attention } = conversation
  return (
    <dl className="flex flex-col gap-1.5">
      {attention && (
        <Fact name={t`Pide atención`}>
          <Badge tone="warn">
            {REASONS[attention as keyof typeof REASONS]
              ? i18n._(REASONS[attention as keyof typeof REASONS])
              : attention}
          </Badge>
        </Fact>
      )}
      <Fact name={t`Asignada a`}>{conversation.assignee?.name ?? t`nadie`}</Fact>
      {channel && <Fact name={t`Número`}>{channel.name}</Fact>}
      {conversation.closed_at && (
        <Fact name={t`Cerrada`}>
          <DateTime at={conversation.closed_at} look="relative" />
        </Fact>
      )}
      {conversation.close_reason && <Fact name={t`Motivo`}>{conversation.close_reason}</Fact>}
    </dl>
  )
}

function ContactFacts({ contactId }: { contactId: string }) {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const mayEdit = useCan('contacts:edit')
  const options = contactsShowOptions({ path: { contact_id: contactId } })
  const { data: contact } = useSuspenseQuery(options)
  const change = useMutation({
    mutationFn: (approved: boolean) =>
      contactsChange({ path: { contact_id: contactId }, body: { approved } }),
    onSuccess: ({ data }) => queries.setQueryData(options.queryKey, data),
    onError: (error) => toast.error(i18n._(messageOf(error))),
  })
  return (
    <section>
      <h2 className="mb-1.5 font-semibold">{t`Contacto`}</h2>
      <dl className="flex flex-col gap-1.5">
        <Fact name={t`Desde`}>
          <DateTime at={contact.created_at} look="relative" />
        </Fact>
        {contact.marketing_stopped_at && (
          <Fact name={t`Promociones`}>
            <Badge tone="warn">{t`pidió no recibirlas`}</Badge>
          </Fact>
        )}
        {contact.user_id && (
          <Fact name={t`Id de WhatsApp`}>
            <span className="select-all break-all font-mono text-xs">{contact.user_id}</span>
          </Fact>
        )}
      </dl>
      <div className="mt-2">
        <Switch
          checked={contact.approved}
          disabled={!mayEdit || change.isPending}
          onChange={change.mutate}
          label={t`Aprobado`}
          hint={t`El bot le contesta aunque solo atienda a contactos aprobados.`}
        />
      </div>
    </section>
  )
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div className="flex items-baseline justify-between gap-3">
      <dt className="shrink-0 text-muted text-xs">{name}</dt>
      <dd className="min-w-0 break-words text-right">{children}</dd>
    </div>
  )
}

const DOTS: Partial<Record<Turn['state'], string>> = {
  done: 'bg-accent',
  failed: 'bg-danger',
  handed_off: 'bg-warn-strong',
  ignored: 'bg-warn-strong',
}

function Turns({ conversationId, onWhy }: { conversationId: string; onWhy: (turnId: string) => void }) {
  const { t, i18n } = useLingui()
  const { data } = useQuery(
    turnsFindOptions({ path: { conversation_id: conversationId }, query: { limit: 50 } }),
  )
  const shown = (data?.items ?? []).filter((turn) => turn.state !== 'superseded').slice(0, 6)
  if (shown.length === 0) return <p className="text-muted text-xs">{t`Ninguno todavía.`}</p>
  return (
    <ul className="flex flex-col">
      {shown.map((turn) => (
        <li key={turn.id}>
          <button
            type="button"
            onClick={() => onWhy(turn.id)}
            className="-mx-2 flex w-[calc(100%+1rem)] items-center gap-2 rounded-md px-2 py-1.5 text-left hover:bg-sunken"
          >
            <span
              aria-hidden
              className={`size-2 shrink-0 rounded-full ${DOTS[turn.state] ?? 'bg-line-strong'}`}
            />
            <span className="min-w-0 flex-1 truncate">
              {turn.reason ? i18n._(REASONS[turn.reason]) : i18n._(TURN_STATES[turn.state])}
            </span>
            <span className="text-muted text-xs">
              <DateTime at={turn.opened_at} look="time" />
            </span>
          </button>
        </li>
      ))}
    </ul>
  )
}
