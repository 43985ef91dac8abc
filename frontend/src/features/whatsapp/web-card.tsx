import { Trans, useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Camera, LogOut, MonitorSmartphone, Play, RotateCw, Square, TriangleAlert } from 'lucide-react'
import { useState } from 'react'
import {
  type WebSessionDetails,
  webSessionsLogOut,
  webSessionsRestart,
  webSessionsStart,
  webSessionsStop,
} from '@/api'
import { webSessionsFindQueryKey } from '@/api/@tanstack/react-query.gen'
import { bytes, relative } from '@/lib/format'
import { messageOf } from '@/session/messages'
import { useCan } from '@/session/session'
import { Badge } from '@/ui/badge'
import { Button } from '@/ui/button'
import { useMinute } from '@/ui/date-time'
import { Confirm, Dialog } from '@/ui/dialog'
import { toast } from '@/ui/toast'
import { LinkPhone } from './web-link'
import { IS_LINKING, WEB_STATES } from './web-words'

type Command = typeof webSessionsStart

/** A phone linked through WhatsApp Web: its state, its code while there is one, and its browser. */
export function WebCard({ session }: { session: WebSessionDetails }) {
  const { t, i18n } = useLingui()
  const mayManage = useCan('channels:manage')
  const state = WEB_STATES[session.state]
  useMinute()
  return (
    <article
      aria-label={session.name}
      className="flex flex-col gap-3 rounded-xl border border-line bg-surface p-4 md:p-5"
    >
      <header className="flex items-start gap-3">
        <span className="grid size-10 shrink-0 place-items-center rounded-xl bg-info-soft text-info">
          <MonitorSmartphone aria-hidden className="size-5" />
        </span>
        <div className="min-w-0 flex-1">
          <h2 className="truncate font-semibold">{session.name}</h2>
          <p className="text-muted text-xs">
            {session.account_ends_with ? t`WhatsApp Web · ••••${session.account_ends_with}` : t`WhatsApp Web`}
          </p>
        </div>
        <span role="status">
          <Badge tone={state.tone}>{i18n._(state.name)}</Badge>
        </span>
      </header>
      {isUnheard(session) && (
        <p className="rounded-lg bg-warn-soft px-3 py-2 text-sm text-warn">
          <Trans>
            Ningún proceso lo ha arrancado todavía. En el servidor tiene que correr{' '}
            <code className="font-mono text-xs">mostrador whatsapp-web</code>.
          </Trans>
        </p>
      )}
      {state.advice && <p className="text-sm">{i18n._(state.advice)}</p>}
      {session.reason && (
        <p lang="en" className="font-mono text-muted text-xs [overflow-wrap:anywhere]">
          {session.reason}
        </p>
      )}
      {mayManage && IS_LINKING.has(session.state) && <LinkPhone sessionId={session.id} />}
      <Facts session={session} />
      <p className="flex items-center gap-1.5 text-warn text-xs">
        <TriangleAlert aria-hidden className="size-4 shrink-0" />
        {t`No oficial: sin campañas, y WhatsApp puede bloquear el número.`}
      </p>
      {mayManage && <Commands session={session} />}
    </article>
  )
}

const PATIENCE_MS = 30_000

/** Wanted, and yet nobody has taken it up: the process that runs the browsers is not there. */
function isUnheard({ wanted, state, state_at }: WebSessionDetails): boolean {
  const waits = wanted === 'running' && (state === 'starting' || state === 'stopped')
  return waits && Date.now() - Date.parse(state_at) > PATIENCE_MS
}

function Facts({ session }: { session: WebSessionDetails }) {
  const { t } = useLingui()
  useMinute()
  const facts: [string, string | null][] = [
    [t`Visto por última vez`, session.last_seen_at && relative(session.last_seen_at)],
    [t`Vinculado`, session.linked_at && relative(session.linked_at)],
    [t`Memoria`, session.memory_bytes === null ? null : bytes(session.memory_bytes)],
    [t`Reinicios`, session.restarts ? String(session.restarts) : null],
  ]
  const known = facts.filter(([, value]) => value)
  if (known.length === 0) return null
  return (
    <dl className="grid grid-cols-2 gap-x-4 gap-y-2 text-sm">
      {known.map(([name, value]) => (
        <div key={name} className="min-w-0">
          <dt className="text-muted text-xs">{name}</dt>
          <dd className="tabular truncate">{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function Commands({ session }: { session: WebSessionDetails }) {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const [open, setOpen] = useState<'logout' | 'screenshot' | null>(null)
  const { mutate, isPending } = useMutation({
    mutationFn: (command: Command) => command({ path: { channel_id: session.id } }),
    onSuccess: () => setOpen(null),
    onError: (error) => toast.error(i18n._(messageOf(error))),
    onSettled: () => queries.invalidateQueries({ queryKey: webSessionsFindQueryKey() }),
  })
  const isRunning = session.wanted === 'running'
  return (
    <footer className="mt-auto flex flex-wrap gap-2 pt-1">
      {isRunning ? (
        <>
          <Button size="sm" disabled={isPending} onClick={() => mutate(webSessionsRestart)}>
            <RotateCw aria-hidden />
            {t`Reiniciar`}
          </Button>
          <Button size="sm" disabled={isPending} onClick={() => mutate(webSessionsStop)}>
            <Square aria-hidden />
            {t`Parar`}
          </Button>
          <Button size="sm" disabled={isPending} onClick={() => setOpen('logout')}>
            <LogOut aria-hidden />
            {t`Desvincular`}
          </Button>
        </>
      ) : (
        <Button size="sm" look="primary" busy={isPending} onClick={() => mutate(webSessionsStart)}>
          <Play aria-hidden />
          {t`Arrancar`}
        </Button>
      )}
      {session.screenshot_at && (
        <Button size="sm" onClick={() => setOpen('screenshot')}>
          <Camera aria-hidden />
          {t`Captura del fallo`}
        </Button>
      )}
      <Confirm
        open={open === 'logout'}
        onClose={() => setOpen(null)}
        onConfirm={() => mutate(webSessionsLogOut)}
        title={t`¿Desvincular ${session.name}?`}
        confirm={t`Desvincular`}
        busy={isPending}
        danger
      >
        {t`Se cierra la sesión en el teléfono y se olvida su perfil. Para usarlo otra vez hay que escanear de nuevo.`}
      </Confirm>
      <Dialog
        open={open === 'screenshot'}
        onClose={() => setOpen(null)}
        wide
        title={t`Lo que mostraba la página al fallar`}
        description={t`Puede haber conversaciones de clientes a la vista.`}
      >
        <img
          src={`/api/whatsapp/web/sessions/${session.id}/screenshot`}
          alt={t`Captura de WhatsApp Web`}
          className="w-full rounded-lg border border-line"
        />
      </Dialog>
    </footer>
  )
}
