import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { peopleInvite } from '@/api'
import { peoplePeopleInfiniteQueryKey } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import type { Role } from '@/session/session'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { Field, Input } from '@/ui/field'
import { Select } from '@/ui/select'
import { OneTimeLink } from './one-time-link'
import { ROLE_DUTIES, ROLE_NAMES, ROLES } from './roles'

/** Make a person and show the link with which they choose their password. */
export function Invite({ onClose }: { onClose: () => void }) {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const [username, setUsername] = useState('')
  const [role, setRole] = useState<Role>('agent')
  const invite = useMutation({
    mutationFn: () => peopleInvite({ body: { username, role } }),
    onSuccess: () => queries.invalidateQueries({ queryKey: peoplePeopleInfiniteQueryKey() }),
  })
  if (invite.data) return <OneTimeLink link={invite.data.data} onClose={onClose} />
  return (
    <Dialog
      open
      onClose={onClose}
      title={t`Invitar a una persona`}
      description={t`Te daremos un enlace de un solo uso para que elija su contraseña. Envíaselo tú.`}
      footer={
        <>
          <Button onClick={onClose}>{t`Cancelar`}</Button>
          <Button look="primary" type="submit" form="invite" busy={invite.isPending}>
            {t`Crear enlace`}
          </Button>
        </>
      }
    >
      <form
        id="invite"
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          invite.mutate()
        }}
      >
        <Field
          label={t`Nombre de usuario`}
          hint={t`Letras, números, punto, guion. Con él entrará.`}
          error={invite.error && i18n._(messageOf(invite.error))}
        >
          <Input
            required
            autoFocus
            autoComplete="off"
            value={username}
            onChange={(event) => setUsername(event.target.value)}
          />
        </Field>
        <Field label={t`Papel`} hint={i18n._(ROLE_DUTIES[role])}>
          <Select<Role>
            value={role}
            options={ROLES.map((one) => ({ value: one, label: i18n._(ROLE_NAMES[one]) }))}
            onChange={setRole}
          />
        </Field>
      </form>
    </Dialog>
  )
}
