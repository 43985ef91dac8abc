import { createFileRoute, useNavigate } from '@tanstack/react-router'
import { SetupPage, STEP_ORDER, type StepName } from '@/features/setup'
import { useMe } from '@/session/session'
import { needs } from '@/shell/guard'
import { firstScreen } from '@/shell/nav'

type Search = { step?: StepName }

export const Route = createFileRoute('/_app/setup')({
  validateSearch: (search: Record<string, unknown>): Search => {
    const step = STEP_ORDER.find((name) => name === search.step)
    return step ? { step } : {}
  },
  beforeLoad: needs('system:manage'),
  component: SetupRoute,
})

function SetupRoute() {
  const { step } = Route.useSearch()
  const { permissions } = useMe()
  const navigate = Route.useNavigate()
  const leave = useNavigate()
  return (
    <SetupPage
      step={step}
      onStep={(next) => void navigate({ search: { step: next } })}
      onLeave={() => void leave({ to: firstScreen(permissions)?.to ?? '/me' })}
    />
  )
}
