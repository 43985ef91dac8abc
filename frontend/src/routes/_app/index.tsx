import { createFileRoute, redirect } from '@tanstack/react-router'
import { meQuery } from '@/session/session'
import { NAV } from '@/shell/nav'

// There is no page of its own here: everybody starts with the first screen they may open.
export const Route = createFileRoute('/_app/')({
  beforeLoad: async ({ context }) => {
    const { permissions } = await context.queries.ensureQueryData(meQuery)
    const first = NAV.find((item) => permissions.includes(item.needs))
    if (first) throw redirect({ to: first.to })
  },
})
