import { createFileRoute, Outlet } from '@tanstack/react-router'
import { keepBusinessTime } from '@/shell/business-time'
import { signedIn } from '@/shell/guard'
import { Shell } from '@/shell/shell'

export const Route = createFileRoute('/_app')({
  beforeLoad: signedIn,
  loader: keepBusinessTime,
  component: () => (
    <Shell>
      <Outlet />
    </Shell>
  ),
})
