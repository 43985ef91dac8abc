import { useLingui } from '@lingui/react/macro'
import { useMutation, useQuery } from '@tanstack/react-query'
import { RotateCw } from 'lucide-react'
import { useState } from 'react'
import { type WebLink, webSessionsPair, webSessionsRefresh } from '@/api'
import { webSessionsLinkOptions } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { Button } from '@/ui/button'
import { Field, Input } from '@/ui/field'
import { QrCode } from '@/ui/qr-code'
import { Skeleton } from '@/ui/skeleton'

const LOOK_AGAIN_MS = 2000

/** The code that links a phone, to scan or to type; it is never kept once it is not shown. */
export function LinkPhone({ sessionId }: { sessionId: string }) {
  const { t, i18n } = useLingui()
  const path = { channel_id: sessionId }
  const { data, error, refetch } = useQuery({
    ...webSessionsLinkOptions({ path }),
    refetchInterval: LOOK_AGAIN_MS,
    gcTime: 0,
  })
  const refresh = useMutation({
    mutationFn: () => webSessionsRefresh({ path }),
    onSettled: () => refetch(),
  })
  const failure = error ?? refresh.error
  return (
    <div className="flex flex-col gap-4">
      <Code link={data} />
      <ol className="list-decimal space-y-0.5 pl-5 text-muted text-sm">
        <li>{t`En el teléfono abre WhatsApp, Dispositivos vinculados.`}</li>
        <li>{t`Pulsa Vincular un dispositivo y escanea el código.`}</li>
      </ol>
      {failure && <p className="font-medium text-danger text-sm">{i18n._(messageOf(failure))}</p>}
      <Button size="sm" className="self-start" busy={refresh.isPending} onClick={() => refresh.mutate()}>
        <RotateCw aria-hidden />
        {t`Otro código`}
      </Button>
      <PairByNumber sessionId={sessionId} onAsked={() => void refetch()} />
    </div>
  )
}

function Code({ link }: { link: WebLink | undefined }) {
  const { t } = useLingui()
  if (link?.pairing_code) {
    return (
      <div aria-live="polite" className="rounded-lg bg-sunken p-4 text-center">
        <p className="text-muted text-sm">{t`Escribe este código en el teléfono:`}</p>
        <p className="mt-1 font-mono font-semibold text-2xl tracking-[0.2em]">{link.pairing_code}</p>
      </div>
    )
  }
  if (!link?.qr) return <Skeleton className="mx-auto size-52 rounded-lg" />
  return (
    <div>
      <QrCode text={link.qr} label={t`Código QR para vincular el teléfono`} />
      <p aria-live="polite" className="sr-only">
        {t`Código nuevo`}
      </p>
    </div>
  )
}

function PairByNumber({ sessionId, onAsked }: { sessionId: string; onAsked: () => void }) {
  const { t, i18n } = useLingui()
  const [phone, setPhone] = useState('')
  const pair = useMutation({
    mutationFn: () =>
      webSessionsPair({ path: { channel_id: sessionId }, body: { phone: phone.replace(/\D/g, '') } }),
    onSuccess: onAsked,
  })
  return (
    <form
      className="flex items-end gap-2 border-line border-t pt-3"
      onSubmit={(event) => {
        event.preventDefault()
        pair.mutate()
      }}
    >
      <Field
        label={t`¿No puedes escanear? Tu número`}
        error={pair.error && i18n._(messageOf(pair.error))}
        className="flex-1"
      >
        <Input
          type="tel"
          required
          placeholder="+54 9 11 5555 0000"
          value={phone}
          onChange={(event) => setPhone(event.target.value)}
        />
      </Field>
      <Button type="submit" busy={pair.isPending}>
        {t`Pedir código`}
      </Button>
    </form>
  )
}
