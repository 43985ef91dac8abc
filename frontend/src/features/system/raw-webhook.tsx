import { useLingui } from '@lingui/react/macro'
import { useQuery } from '@tanstack/react-query'
import { eventsShowOptions } from '@/api/@tanstack/react-query.gen'
import { bytes } from '@/lib/format'
import { CopyButton } from '@/ui/copy-button'
import { DateTime } from '@/ui/date-time'
import { Dialog } from '@/ui/dialog'
import { ErrorPane } from '@/ui/error-pane'
import { Textarea } from '@/ui/field'
import { SkeletonRows } from '@/ui/skeleton'
import { indented } from './indented'

/** A webhook exactly as WhatsApp sent it, with line breaks where it is JSON. */
export function RawWebhook({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useLingui()
  const { data, error, refetch } = useQuery(eventsShowOptions({ path: { event_id: id } }))
  return (
    <Dialog
      open
      wide
      onClose={onClose}
      title={t`Lo que llegó de WhatsApp`}
      description={
        data && (
          <>
            <DateTime at={data.received_at} /> · {bytes(data.size_bytes)}
          </>
        )
      }
    >
      {error && <ErrorPane error={error} retry={() => void refetch()} />}
      {!data && !error && <SkeletonRows rows={3} />}
      {data && (
        <div className="relative">
          <div className="absolute top-1 right-1">
            <CopyButton text={data.body} label={t`Copiar lo que llegó`} />
          </div>
          <Textarea
            readOnly
            rows={18}
            spellCheck={false}
            aria-label={t`Lo que llegó de WhatsApp`}
            className="pr-12 font-mono text-xs"
            value={indented(data.body)}
          />
        </div>
      )}
    </Dialog>
  )
}
