import { createFileRoute } from '@tanstack/react-router'
import { SYSTEM_TABS, System, type SystemTab } from '@/features/system'
import { needs } from '@/shell/guard'

export const Route = createFileRoute('/_app/system')({
  beforeLoad: needs('system:read'),
  validateSearch: ({ tab }: Record<string, unknown>): { tab?: SystemTab } => {
    const known = SYSTEM_TABS.find((one) => one === tab)
    return known ? { tab: known } : {}
  },
  component: System,
})
