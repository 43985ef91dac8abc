import { useLingui } from '@lingui/react/macro'
import { useSuspenseQuery } from '@tanstack/react-query'
import { alertsOverviewOptions } from '@/api/@tanstack/react-query.gen'
import { useLive } from '@/live/live'
import { useCan } from '@/session/session'
import { Pane } from '@/ui/error-pane'
import { Page } from '@/ui/page'
import { Alerts } from './alerts'
import { Retention } from './retention'
import { Silences } from './silences'
import { Snapshots } from './snapshots'
import { Watched } from './watched'

/** What is watched, what was found, and what to do when something happened. */
export function SecurityConsole() {
  const { t } = useLingui()
  const mayManage = useCan('security:manage')
  return (
    <Page
      wide
      title={t`Seguridad`}
      description={t`Lo que se vigila sin parar, lo que se encontró y lo que hace falta cuando algo pasó.`}
    >
      <Pane>
        <Now />
      </Pane>
      <div className="grid items-start gap-x-5 lg:grid-cols-2">
        <Pane>
          <Silences />
        </Pane>
        <Pane>
          <Snapshots />
        </Pane>
      </div>
      {mayManage && <Retention />}
    </Page>
  )
}

function Now() {
  const overview = useSuspenseQuery({ ...alertsOverviewOptions(), refetchInterval: 30_000 })
  useLive('system', () => void overview.refetch())
  return (
    <>
      <Alerts alerts={overview.data.open_alerts} />
      <Watched overview={overview.data} />
    </>
  )
}
