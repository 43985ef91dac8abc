import { createFileRoute, redirect } from '@tanstack/react-router'
import { setupReadOptions } from '@/api/@tanstack/react-query.gen'
import { meQuery } from '@/session/session'
import { firstScreen } from '@/shell/nav'

// There is no page of its own here: who runs the installation begins with its setup until that is closed, and
// everybody else with the first screen they may open.
export const Route = createFileRoute('/_app/')({
  beforeLoad: async ({ context }) => {
    const { permissions } = await context.queries.ensureQueryData(meQuery)
    if (permissions.includes('system:manage')) {
      const setup = await context.queries.ensureQueryData(setupReadOptions())
      if (setup.finished_at === null) throw redirect({ to: '/setup' })
    }
    const first = firstScreen(permissions)
    if (first) throw redirect({ to: first.to })
  },
})
