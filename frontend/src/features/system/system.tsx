import { useLingui } from '@lingui/react/macro'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type ReactNode, Suspense } from 'react'
import { Doctor } from '@/features/proof'
import { Pane } from '@/ui/error-pane'
import { Page } from '@/ui/page'
import { SkeletonRows } from '@/ui/skeleton'
import { Tabs } from '@/ui/tabs'
import { Health } from './health'

export const SYSTEM_TABS = ['health', 'doctor'] as const
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

function Part({ children }: { children: ReactNode }) {
  return (
    <Pane>
      <Suspense fallback={<SkeletonRows />}>{children}</Suspense>
    </Pane>
  )
}
