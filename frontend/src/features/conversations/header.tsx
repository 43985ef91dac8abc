import { useLingui } from '@lingui/react/macro'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ArrowLeft, Bot, CheckCheck, Ellipsis, Hand, PanelRight, RotateCcw, UserRound } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Conversation } from '@/api'
import { teamFindOptions } from '@/api/@tanstack/react-query.gen'
import { useCan, useMe } from '@/session/session'
import { Avatar } from '@/ui/avatar'
import { Badge } from '@/ui/badge'
import { Button, IconButton } from '@/ui/button'
import { useShortcut } from '@/ui/keys'
import { Menu, MenuItem, MenuSeparator } from '@/ui/menu'
import type { Actions } from './actions'
import type { Filter } from './filter'
import { nameOf } from './row'
import { WindowPill } from './window-pill'
import { CONTROL_NAMES } from './words'

type HeaderProps = {
  conversation: Conversation
  actions: Actions
  filter: Filter
  presence: ReactNode
  isPanelOpen: boolean
  togglePanel: () => void
  onClosed: () => void
}

/** Whom the thread is with, who answers, and the two or three things that are done most. */
export function Header(props: HeaderProps) {
  const { conversation, actions, filter, presence, isPanelOpen, togglePanel, onClosed } = props
  const { t } = useLingui()
  const canAnswer = useCan('conversations:answer')
  const name = nameOf(conversation.contact)
  const isClosed = conversation.status === 'closed'
  const group = t`Conversación`
  const close = () => actions.close.mutate(null, { onSuccess: onClosed })
  useShortcut({ keys: ']', label: t`Mostrar u ocultar la ficha`, group, run: togglePanel })
  useShortcut({
    keys: 'e',
    label: t`Cerrar y pasar a la siguiente`,
    group,
    run: close,
    enabled: canAnswer && !isClosed,
  })
  return (
    <header className="flex min-h-14 shrink-0 items-center gap-2.5 border-line border-b bg-surface px-3 py-2 md:px-4">
      <Link
        to="/inbox"
        search={filter}
        aria-label={t`Volver a la lista`}
        className="grid size-9 shrink-0 place-items-center rounded-md text-muted hover:bg-sunken md:hidden"
      >
        <ArrowLeft aria-hidden className="size-5" />
      </Link>
      <Avatar name={name} className="max-sm:hidden" />
      <div className="min-w-0 flex-1">
        <div className="flex min-w-0 items-center gap-2">
          <h1 className="truncate font-semibold leading-tight" tabIndex={-1}>
            {name}
          </h1>
          {presence}
        </div>
        <div className="mt-0.5 flex min-w-0 items-center gap-1.5 overflow-hidden text-xs">
          <Holder conversation={conversation} />
          <WindowPill conversation={conversation} />
        </div>
      </div>
      {canAnswer && <ControlButton conversation={conversation} actions={actions} />}
      {canAnswer &&
        (isClosed ? (
          <Button
            busy={actions.reopen.isPending}
            onClick={() => actions.reopen.mutate()}
            className="max-sm:hidden"
          >
            <RotateCcw aria-hidden />
            <span className="max-lg:sr-only">{t`Reabrir`}</span>
          </Button>
        ) : (
          <Button busy={actions.close.isPending} onClick={close} className="max-sm:hidden">
            <CheckCheck aria-hidden />
            <span className="max-lg:sr-only">{t`Cerrar`}</span>
          </Button>
        ))}
      {canAnswer && <MoreMenu conversation={conversation} actions={actions} close={close} />}
      <IconButton label={t`Ficha`} keys="]" active={isPanelOpen} onClick={togglePanel}>
        <PanelRight aria-hidden />
      </IconButton>
    </header>
  )
}

function Holder({ conversation }: { conversation: Conversation }) {
  const { t, i18n } = useLingui()
  const { user } = useMe()
  const { control, held_by, held_by_name, status } = conversation
  if (status === 'closed') return <Badge>{t`Cerrada`}</Badge>
  if (control === 'bot') {
    return (
      <Badge tone="bot">
        <Bot aria-hidden />
        <span className="truncate">{i18n._(CONTROL_NAMES.bot)}</span>
      </Badge>
    )
  }
  if (control === 'nobody') return <Badge tone="warn">{i18n._(CONTROL_NAMES.nobody)}</Badge>
  return (
    <Badge tone="person" className="min-w-0">
      <UserRound aria-hidden />
      {held_by === user.id
        ? t`Atiendes tú`
        : held_by_name
          ? t`Atiende ${held_by_name}`
          : t`Atiende el teléfono del negocio`}
    </Badge>
  )
}

/** Take it from the bot, or give it back: one button and one key, T. */
function ControlButton({ conversation, actions }: { conversation: Conversation; actions: Actions }) {
  const { t } = useLingui()
  const { user } = useMe()
  const isMine = conversation.control === 'person' && conversation.held_by === user.id
  const busy = actions.takeOver.isPending || actions.handBack.isPending
  const run = () => (isMine ? actions.handBack.mutate() : actions.takeOver.mutate())
  const label = isMine ? t`Devolver al bot` : t`Tomar`
  useShortcut({
    keys: 't',
    label: isMine ? label : t`Tomar la conversación`,
    group: t`Conversación`,
    run,
    enabled: !busy,
  })
  return (
    <Button look={isMine ? 'secondary' : 'primary'} busy={busy} onClick={run}>
      {isMine ? <Bot aria-hidden /> : <Hand aria-hidden />}
      <span className="max-sm:sr-only">{label}</span>
    </Button>
  )
}

type MoreMenuProps = { conversation: Conversation; actions: Actions; close: () => void }

/** What is done less often, and on a phone all that has no room. */
function MoreMenu({ conversation, actions, close }: MoreMenuProps) {
  const { t } = useLingui()
  const { user } = useMe()
  const { data: team } = useQuery(teamFindOptions())
  const { assignee, control, held_by } = conversation
  const others = (team ?? []).filter((one) => one.id !== user.id)
  const heldByOther = control === 'person' && held_by !== user.id
  return (
    <Menu
      trigger={
        <IconButton label={t`Más acciones`}>
          <Ellipsis aria-hidden />
        </IconButton>
      }
    >
      {conversation.status === 'closed' ? (
        <MenuItem icon={<RotateCcw aria-hidden />} onSelect={() => actions.reopen.mutate()}>
          {t`Reabrir`}
        </MenuItem>
      ) : (
        <MenuItem icon={<CheckCheck aria-hidden />} keys="e" onSelect={close}>
          {t`Cerrar la conversación`}
        </MenuItem>
      )}
      <MenuSeparator />
      {heldByOther && (
        <>
          <MenuItem icon={<Bot aria-hidden />} onSelect={() => actions.handBack.mutate()}>
            {t`Devolver al bot`}
          </MenuItem>
          <MenuSeparator />
        </>
      )}
      <MenuItem disabled={assignee?.id === user.id} onSelect={() => actions.assign.mutate(user.id)}>
        {t`Asignármela`}
      </MenuItem>
      {others.map((one) => (
        <MenuItem
          key={one.id}
          disabled={assignee?.id === one.id}
          onSelect={() => actions.assign.mutate(one.id)}
        >
          {t`Asignar a ${one.name}`}
        </MenuItem>
      ))}
      {assignee && (
        <>
          <MenuSeparator />
          <MenuItem onSelect={() => actions.assign.mutate(null)}>{t`Quitar la asignación`}</MenuItem>
        </>
      )}
    </Menu>
  )
}
