import { createFileRoute, Outlet } from '@tanstack/react-router'
import { signedIn } from '@/shell/guard'
import { Shell } from '@/shell/shell'

export const Route = createFileRoute('/_app')({
  beforeLoad: signedIn,
  component: () => (
    <Shell>
      <Outlet />
    </Shell>
  ),
})
