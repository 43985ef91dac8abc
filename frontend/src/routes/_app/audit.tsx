import { createFileRoute } from '@tanstack/react-router'
import * as v from 'valibot'
import { AuditTrail } from '@/features/audit'
import { needs } from '@/shell/guard'

const day = v.optional(v.fallback(v.optional(v.pipe(v.string(), v.isoDate())), undefined))
const search = v.object({
  action: v.optional(v.fallback(v.optional(v.string()), undefined)),
  outcome: v.optional(v.fallback(v.optional(v.picklist(['ok', 'refused'])), undefined)),
  since: day,
  until: day,
})

export const Route = createFileRoute('/_app/audit')({
  beforeLoad: needs('audit:read'),
  validateSearch: search,
  component: function AuditRoute() {
    const filter = Route.useSearch()
    const navigate = Route.useNavigate()
    return <AuditTrail filter={filter} onFilter={(next) => void navigate({ search: next, replace: true })} />
  },
})
