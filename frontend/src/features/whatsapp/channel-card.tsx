import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { MessageCircle, OctagonPause, Pencil, Play, Smartphone, Stethoscope, Webhook } from 'lucide-react'
import { useState } from 'react'
import { type ChannelDetails, channelsResume } from '@/api'
import { channelsFindQueryKey } from '@/api/@tanstack/react-query.gen'
import { phone } from '@/lib/format'
import { messageOf } from '@/session/messages'
import { useCan } from '@/session/session'
import { Badge } from '@/ui/badge'
import { Button } from '@/ui/button'
import { DateTime } from '@/ui/date-time'
import { Dialog } from '@/ui/dialog'
import { toast } from '@/ui/toast'
import { ChangeNumber } from './change-number'
import { ChannelCheck } from './channel-check'
import { StopChannel } from './stop-channel'
import { WebhookData } from './webhook-data'
import { SOURCES } from './words'

type Open = 'check' | 'webhook' | 'change' | 'stop'

/** A number of the Cloud API: what it is, whether it sends, and what can be done with it. */
export function ChannelCard({ channel }: { channel: ChannelDetails }) {
  const { t, i18n } = useLingui()
  const mayManage = useCan('channels:manage')
  const [open, setOpen] = useState<Open | null>(null)
  const close = () => setOpen(null)
  const isSimulated = channel.source === 'simulator'
  const isStopped = channel.stopped_reason !== null
  const name = isSimulated ? t`Simulador` : channel.name
  return (
    <article
      aria-label={name}
      className="flex flex-col gap-3 rounded-xl border border-line bg-surface p-4 md:p-5"
    >
      <header className="flex items-start gap-3">
        <span className="grid size-10 shrink-0 place-items-center rounded-xl bg-accent-soft text-accent">
          {isSimulated ? (
            <Smartphone aria-hidden className="size-5" />
          ) : (
            <MessageCircle aria-hidden className="size-5" />
          )}
        </span>
        <div className="min-w-0 flex-1">
          <h2 className="truncate font-semibold">{name}</h2>
          <p className="text-muted text-xs">
            {isSimulated ? t`Teléfono de prueba` : t`Cloud API de WhatsApp`} ·{' '}
            {i18n._(SOURCES[channel.source])}
          </p>
        </div>
        <Badge tone={isStopped ? 'bad' : 'good'}>{isStopped ? t`Parado` : t`En marcha`}</Badge>
      </header>
      {isStopped && <Stopped channel={channel} />}
      <Facts channel={channel} />
      <footer className="mt-auto flex flex-wrap gap-2 pt-1">
        {isSimulated && (
          <Link
            to="/simulator"
            className="inline-flex h-7 items-center gap-1.5 rounded-md border border-line bg-raised px-2.5 font-medium text-[0.8rem] hover:border-line-strong hover:bg-sunken max-md:h-9"
          >
            <Smartphone aria-hidden className="size-4" />
            {t`Abrir el teléfono`}
          </Link>
        )}
        {mayManage && (
          <>
            <Button size="sm" onClick={() => setOpen('check')}>
              <Stethoscope aria-hidden />
              {t`Comprobar`}
            </Button>
            {!isSimulated && (
              <Button size="sm" onClick={() => setOpen('webhook')}>
                <Webhook aria-hidden />
                {t`Webhook`}
              </Button>
            )}
            {channel.source === 'panel' && (
              <Button size="sm" onClick={() => setOpen('change')}>
                <Pencil aria-hidden />
                {t`Cambiar`}
              </Button>
            )}
            {isStopped ? (
              <Resume channel={channel} />
            ) : (
              <Button size="sm" onClick={() => setOpen('stop')}>
                <OctagonPause aria-hidden />
                {t`Parar`}
              </Button>
            )}
          </>
        )}
      </footer>
      <Dialog open={open === 'check'} onClose={close} title={t`Comprobar ${name}`}>
        <ChannelCheck channelId={channel.id} atOnce />
      </Dialog>
      <Dialog open={open === 'webhook'} onClose={close} title={t`Webhook de ${name}`}>
        <WebhookData channelId={channel.id} />
      </Dialog>
      {open === 'change' && <ChangeNumber channel={channel} onClose={close} />}
      {open === 'stop' && <StopChannel channel={channel} onClose={close} />}
    </article>
  )
}

function Stopped({ channel }: { channel: ChannelDetails }) {
  const { t } = useLingui()
  return (
    <div className="rounded-lg bg-danger-soft px-3 py-2 text-danger text-sm">
      <p className="font-medium">{t`No se envía nada por aquí. Los mensajes esperan.`}</p>
      <p className="[overflow-wrap:anywhere]">
        {channel.stopped_reason}
        {channel.stopped_at && (
          <>
            {' · '}
            <DateTime at={channel.stopped_at} look="relative" />
          </>
        )}
      </p>
    </div>
  )
}

function Facts({ channel }: { channel: ChannelDetails }) {
  const { t } = useLingui()
  const facts: [string, string | null][] = [
    [t`Teléfono`, channel.display_phone_number && phone(channel.display_phone_number.replace(/\D/g, ''))],
    [t`Identificador`, channel.phone_number_id],
    [t`Cuenta`, channel.business_account_id],
    [t`Token`, channel.token_ends_with && `••••${channel.token_ends_with}`],
    [t`Versión`, channel.api_version],
    [t`Ritmo`, t`${channel.messages_per_second} por segundo`],
  ]
  return (
    <dl className="grid grid-cols-2 gap-x-4 gap-y-2 text-sm">
      {facts
        .filter(([, value]) => value)
        .map(([name, value]) => (
          <div key={name} className="min-w-0">
            <dt className="text-muted text-xs">{name}</dt>
            <dd className="tabular truncate">{value}</dd>
          </div>
        ))}
    </dl>
  )
}

function Resume({ channel }: { channel: ChannelDetails }) {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const resume = useMutation({
    mutationFn: () => channelsResume({ path: { channel_id: channel.id } }),
    onSuccess: () => toast.success(t`${channel.name} vuelve a enviar`),
    onError: (error) => toast.error(i18n._(messageOf(error))),
    onSettled: () => queries.invalidateQueries({ queryKey: channelsFindQueryKey() }),
  })
  return (
    <Button size="sm" look="primary" busy={resume.isPending} onClick={() => resume.mutate()}>
      <Play aria-hidden />
      {t`Reanudar`}
    </Button>
  )
}
