import { useLingui } from '@lingui/react/macro'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type ReactNode, Suspense } from 'react'
import { systemHealthOptions } from '@/api/@tanstack/react-query.gen'
import { Doctor } from '@/features/proof'
import { Count } from '@/ui/badge'
import { Pane } from '@/ui/error-pane'
import { Page } from '@/ui/page'
import { SkeletonRows } from '@/ui/skeleton'
import { Tabs } from '@/ui/tabs'
import { DeadLetters } from './dead-letters'
import { Health } from './health'

export const SYSTEM_TABS = ['health', 'set_aside', 'doctor'] as const
export type SystemTab = (typeof SYSTEM_TABS)[number]

/** How the installation is, what was set aside, and what to do about what is wrong. */
export function System() {
  const { t } = useLingui()
  const { tab = 'health' } = useSearch({ from: '/_app/system' })
  const navigate = useNavigate({ from: '/system' })
  return (
    <Page wide title={t`Sistema`} description={t`Cómo está esta instalación, y qué hacer si algo va mal.`}>
      <Tabs<SystemTab>
        label={t`Sistema`}
        value={tab}
        onChange={(next) => void navigate({ search: { tab: next }, replace: true })}
        tabs={[
          {
            id: 'health',
            label: t`Estado`,
            content: (
              <Part>
                <Health />
              </Part>
            ),
          },
          {
            id: 'set_aside',
            label: <SetAside />,
            content: (
              <Part>
                <DeadLetters />
              </Part>
            ),
          },
          {
            id: 'doctor',
            label: t`Diagnóstico`,
            content: (
              <Part>
                <Doctor />
              </Part>
            ),
          },
        ]}
      />
    </Page>
  )
}

/** The name of its tab, with how many wait for a person. */
function SetAside() {
  const { t } = useLingui()
  const { data } = useQuery(systemHealthOptions())
  const count = Object.values(data?.backlog?.dead ?? {}).reduce((sum, one) => sum + one, 0)
  return (
    <span className="flex items-center gap-1.5">
      {t`Apartados`}
      <Count value={count} />
    </span>
  )
}

function Part({ children }: { children: ReactNode }) {
  return (
    <Pane>
      <Suspense fallback={<SkeletonRows />}>{children}</Suspense>
    </Pane>
  )
}
