import { Trans, useLingui } from '@lingui/react/macro'
import { useCan } from '@/session/session'
import { Pane } from '@/ui/error-pane'
import { Page } from '@/ui/page'
import { Tabs } from '@/ui/tabs'
import { ApiKeys } from './api-keys'
import { People } from './people'

type TeamTab = 'people' | 'keys'

/** Who may come in: the people with their roles, and the keys of programs. */
export function Team({ tab, onTab }: { tab: TeamTab; onTab: (tab: TeamTab) => void }) {
  const { t } = useLingui()
  const people = (
    <Pane>
      <People />
    </Pane>
  )
  return (
    <Page
      wide
      title={t`Equipo`}
      description={<Trans>Las personas que atienden y los programas que se conectan.</Trans>}
    >
      {useCan('api_keys:manage') ? (
        <Tabs<TeamTab>
          label={t`Equipo`}
          value={tab}
          onChange={onTab}
          tabs={[
            { id: 'people', label: t`Personas`, content: people },
            {
              id: 'keys',
              label: t`Claves de API`,
              content: (
                <Pane>
                  <ApiKeys />
                </Pane>
              ),
            },
          ]}
        />
      ) : (
        people
      )}
    </Page>
  )
}
