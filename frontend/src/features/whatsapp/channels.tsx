import { useLingui } from '@lingui/react/macro'
import { useSuspenseQuery } from '@tanstack/react-query'
import { Plus, Radio } from 'lucide-react'
import { useState } from 'react'
import { channelsFindOptions } from '@/api/@tanstack/react-query.gen'
import { useCan } from '@/session/session'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { EmptyState } from '@/ui/empty-state'
import { Pane } from '@/ui/error-pane'
import { Page } from '@/ui/page'
import { AddNumber } from './add-number'
import { ChannelCard } from './channel-card'

const LOOK_AGAIN_MS = 15_000 // a channel that WhatsApp refuses stops by itself

export function Channels() {
  const { t } = useLingui()
  const [isAdding, setAdding] = useState(false)
  const mayManage = useCan('channels:manage')
  const close = () => setAdding(false)
  return (
    <Page
      wide
      title={t`Canales`}
      description={t`Los números por los que hablas con tus clientes.`}
      actions={
        mayManage && (
          <Button look="primary" onClick={() => setAdding(true)}>
            <Plus aria-hidden />
            {t`Añadir número`}
          </Button>
        )
      }
    >
      <Pane>
        <Cards />
      </Pane>
      <Dialog
        open={isAdding}
        onClose={close}
        wide
        title={t`Un número de la Cloud API`}
        description={t`Los datos están en Meta for Developers, en tu app de WhatsApp. Los secretos se guardan cifrados y no se vuelven a mostrar.`}
      >
        <AddNumber onCancel={close} onDone={close} />
      </Dialog>
    </Page>
  )
}

function Cards() {
  const { t } = useLingui()
  const { data } = useSuspenseQuery({ ...channelsFindOptions(), refetchInterval: LOOK_AGAIN_MS })
  if (data.items.length === 0) {
    return (
      <EmptyState icon={<Radio aria-hidden />} title={t`Todavía no hay ningún número`}>
        {t`Añade el de tu negocio, o arranca el servidor con el simulador para probar sin uno.`}
      </EmptyState>
    )
  }
  return (
    <div className="grid gap-4 lg:grid-cols-2">
      {data.items.map((channel) => (
        <ChannelCard key={channel.id} channel={channel} />
      ))}
    </div>
  )
}
