import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { RotateCw } from 'lucide-react'
import { useEffect } from 'react'
import { channelsCheck } from '@/api'
import { channelsFindQueryKey } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { Button } from '@/ui/button'
import { Checks } from './check-list'

/** Puts every question about a channel to WhatsApp. `atOnce` does it when it is first shown. */
export function ChannelCheck({ channelId, atOnce }: { channelId: string; atOnce?: boolean }) {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const { data, error, isPending, mutate } = useMutation({
    mutationFn: async () => (await channelsCheck({ path: { channel_id: channelId } })).data,
    // A check learns the number's name and phone.
    onSuccess: () => queries.invalidateQueries({ queryKey: channelsFindQueryKey() }),
  })
  useEffect(() => {
    if (atOnce) mutate()
  }, [atOnce, mutate])
  return (
    <div className="flex flex-col items-start gap-3">
      <div aria-live="polite" className="w-full">
        {data && (
          <>
            <p className="mb-2.5 font-medium text-sm">
              {data.ok ? t`No se encontró ningún fallo.` : t`Hay algo que corregir, de arriba abajo:`}
            </p>
            <Checks list={data} />
          </>
        )}
        {isPending && !data && <p className="text-muted text-sm">{t`Preguntando a WhatsApp…`}</p>}
        {error && <p className="font-medium text-danger text-sm">{i18n._(messageOf(error))}</p>}
      </div>
      <Button size="sm" busy={isPending} onClick={() => mutate()}>
        <RotateCw aria-hidden />
        {data ? t`Comprobar de nuevo` : t`Comprobar`}
      </Button>
    </div>
  )
}
