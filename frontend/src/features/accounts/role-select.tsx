import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type Person, peopleChangeRole } from '@/api'
import { peoplePeopleInfiniteQueryKey } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import type { Role } from '@/session/session'
import { Select } from '@/ui/select'
import { toast } from '@/ui/toast'
import { ROLE_NAMES, ROLES } from './roles'

/** A person's role, to be changed in place by whoever may. */
export function RoleSelect({ person, fixed }: { person: Person; fixed: boolean }) {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const change = useMutation({
    mutationFn: (role: Role) => peopleChangeRole({ path: { user_id: person.id }, body: { role } }),
    onSuccess: () => toast.success(t`Papel de ${person.username} cambiado`),
    onError: (error) => toast.error(i18n._(messageOf(error))),
    onSettled: () => queries.invalidateQueries({ queryKey: peoplePeopleInfiniteQueryKey() }),
  })
  if (fixed) return <span>{i18n._(ROLE_NAMES[person.role])}</span>
  return (
    <Select<Role>
      label={t`Papel de ${person.username}`}
      value={change.isPending ? change.variables : person.role}
      options={ROLES.map((role) => ({ value: role, label: i18n._(ROLE_NAMES[role]) }))}
      onChange={(role) => role !== person.role && change.mutate(role)}
      disabled={change.isPending}
      className="w-40"
    />
  )
}
