import { createFileRoute } from '@tanstack/react-router'
import { SimulatorPage } from '@/features/simulator'
import { needs } from '@/shell/guard'

type Search = { person?: string }

export const Route = createFileRoute('/_app/simulator')({
  validateSearch: (search: Record<string, unknown>): Search =>
    typeof search.person === 'string' || typeof search.person === 'number'
      ? { person: String(search.person) }
      : {},
  beforeLoad: needs('conversations:answer'),
  component: SimulatorRoute,
})

function SimulatorRoute() {
  const { person } = Route.useSearch()
  const navigate = Route.useNavigate()
  return (
    <SimulatorPage
      personId={person}
      onChoose={(id) => void navigate({ search: { person: id }, replace: true })}
    />
  )
}
