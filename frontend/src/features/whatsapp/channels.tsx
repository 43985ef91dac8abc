import { useLingui } from '@lingui/react/macro'
import { useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { MonitorSmartphone, Plus, Radio } from 'lucide-react'
import { useState } from 'react'
import {
  channelsFindOptions,
  channelsFindQueryKey,
  webSessionsFindOptions,
  webSessionsFindQueryKey,
} from '@/api/@tanstack/react-query.gen'
import { useLive } from '@/live/live'
import { useCan } from '@/session/session'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { EmptyState } from '@/ui/empty-state'
import { Pane } from '@/ui/error-pane'
import { Page } from '@/ui/page'
import { AddNumber } from './add-number'
import { AddPhone } from './add-phone'
import { ChannelCard } from './channel-card'
import { WebCard } from './web-card'

const LOOK_AGAIN_MS = 10_000 // a channel that WhatsApp refuses stops by itself

export function Channels() {
  const { t } = useLingui()
  const [adding, setAdding] = useState<'number' | 'phone' | null>(null)
  const mayManage = useCan('channels:manage')
  const close = () => setAdding(null)
  return (
    <Page
      wide
      title={t`Canales`}
      description={t`Los números por los que hablas con tus clientes.`}
      actions={
        mayManage && (
          <>
            <Button onClick={() => setAdding('phone')}>
              <MonitorSmartphone aria-hidden />
              {t`Vincular un teléfono`}
            </Button>
            <Button look="primary" onClick={() => setAdding('number')}>
              <Plus aria-hidden />
              {t`Añadir número`}
            </Button>
          </>
        )
      }
    >
      <Pane>
        <Cards />
      </Pane>
      <Dialog
        open={adding === 'number'}
        onClose={close}
        wide
        title={t`Un número de la Cloud API`}
        description={t`Los datos están en Meta for Developers, en tu app de WhatsApp. Los secretos se guardan cifrados y no se vuelven a mostrar.`}
      >
        <AddNumber onCancel={close} onDone={close} />
      </Dialog>
      {adding === 'phone' && <AddPhone onClose={close} />}
    </Page>
  )
}

function Cards() {
  const { t } = useLingui()
  const queries = useQueryClient()
  const { data: channels } = useSuspenseQuery({ ...channelsFindOptions(), refetchInterval: LOOK_AGAIN_MS })
  const { data: sessions } = useSuspenseQuery({ ...webSessionsFindOptions(), refetchInterval: LOOK_AGAIN_MS })
  useLive(useCan('system:read') ? 'system' : null, () => {
    void queries.invalidateQueries({ queryKey: channelsFindQueryKey() })
    void queries.invalidateQueries({ queryKey: webSessionsFindQueryKey() })
  })
  const numbers = channels.items.filter(({ kind }) => kind === 'cloud')
  if (numbers.length + sessions.items.length === 0) {
    return (
      <EmptyState icon={<Radio aria-hidden />} title={t`Todavía no hay ningún número`}>
        {t`Añade el de tu negocio, o arranca el servidor con el simulador para probar sin uno.`}
      </EmptyState>
    )
  }
  return (
    <div className="grid items-start gap-4 lg:grid-cols-2">
      {numbers.map((channel) => (
        <ChannelCard key={channel.id} channel={channel} />
      ))}
      {sessions.items.map((session) => (
        <WebCard key={session.id} session={session} />
      ))}
    </div>
  )
}
