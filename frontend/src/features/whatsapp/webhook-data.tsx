import { useLingui } from '@lingui/react/macro'
import { useQuery } from '@tanstack/react-query'
import { channelsWebhookOptions } from '@/api/@tanstack/react-query.gen'
import { CopyButton } from '@/ui/copy-button'
import { ErrorPane } from '@/ui/error-pane'
import { Skeleton } from '@/ui/skeleton'

/** What to enter in Meta's app dashboard, ready to be copied. */
export function WebhookData({ channelId }: { channelId: string }) {
  const { t } = useLingui()
  const options = channelsWebhookOptions({ path: { channel_id: channelId } })
  // It holds a secret: it is not kept once it is no longer shown.
  const { data, error, refetch } = useQuery({ ...options, gcTime: 0 })
  if (error) return <ErrorPane error={error} retry={() => void refetch()} />
  if (!data) return <Skeleton className="h-40" />
  return (
    <div className="flex flex-col gap-3">
      <p className="text-muted text-sm">
        {t`En Meta for Developers abre tu app: WhatsApp, Configuración, Webhook. Pega esto:`}
      </p>
      <dl className="flex flex-col gap-3">
        <ToCopy name={t`URL de devolución de llamada`} value={data.url} />
        {data.verify_token && <ToCopy name={t`Token de verificación`} value={data.verify_token} />}
        <ToCopy name={t`Campos a los que suscribirse`} value={data.fields.join(', ')} />
      </dl>
    </div>
  )
}

function ToCopy({ name, value }: { name: string; value: string }) {
  const { t } = useLingui()
  return (
    <div>
      <dt className="font-medium text-[0.85rem]">{name}</dt>
      <dd className="mt-1 flex items-center gap-1 rounded-md border border-line bg-sunken py-1 pr-1 pl-2.5">
        <code className="min-w-0 flex-1 select-all font-mono text-xs [overflow-wrap:anywhere]">{value}</code>
        <CopyButton text={value} label={t`Copiar ${name}`} />
      </dd>
    </div>
  )
}
