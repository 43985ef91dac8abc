import { createFileRoute } from '@tanstack/react-router'
import * as v from 'valibot'
import { Team } from '@/features/accounts'
import { needs } from '@/shell/guard'

const search = v.object({ tab: v.optional(v.fallback(v.picklist(['people', 'keys']), 'people'), 'people') })

export const Route = createFileRoute('/_app/team')({
  beforeLoad: needs('accounts:read'),
  validateSearch: search,
  component: function TeamRoute() {
    const { tab } = Route.useSearch()
    const navigate = Route.useNavigate()
    return <Team tab={tab} onTab={(next) => void navigate({ search: { tab: next }, replace: true })} />
  },
})
