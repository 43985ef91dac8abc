import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { type CustomerInput, type CustomerView, simulatorAddPerson } from '@/api'
import { simulatorPeopleQueryKey } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { Field, Input } from '@/ui/field'
import { Switch } from '@/ui/switch'
import { newPerson } from './new-person'

type PersonDialogProps = {
  /** Whom to change; null makes somebody new. */
  person: CustomerView | null
  onClose: () => void
  onSaved: (person: CustomerView) => void
}

export function PersonDialog({ person, onClose, onSaved }: PersonDialogProps) {
  const { t, i18n } = useLingui()
  const [draft, setDraft] = useState<Draft>(() => person ?? newPerson())
  const [hides, setHides] = useState(person ? person.phone === null : false)
  const save = useSavePerson((saved) => {
    onSaved(saved)
    onClose()
  })
  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part })
  return (
    <Dialog open onClose={onClose} title={person ? t`Cambiar a ${person.name}` : t`Un cliente nuevo`}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          save.mutate(inputOf(draft, person, hides))
        }}
      >
        <Field label={t`Nombre`}>
          <Input
            required
            maxLength={60}
            value={draft.name}
            onChange={(event) => change({ name: event.target.value })}
          />
        </Field>
        {!person && (
          <>
            <Field
              label={t`Teléfono`}
              hint={t`Con el código del país, solo cifras.`}
              error={save.error ? i18n._(messageOf(save.error)) : null}
            >
              <Input
                inputMode="numeric"
                required
                disabled={hides}
                pattern="[1-9][0-9]{5,14}"
                value={draft.phone ?? ''}
                onChange={(event) => change({ phone: event.target.value })}
              />
            </Field>
            <Switch
              checked={hides}
              onChange={setHides}
              label={t`Oculta su número`}
              hint={t`Escribe con su nombre de usuario; el negocio no ve el teléfono.`}
            />
          </>
        )}
        <Switch
          checked={draft.reads}
          onChange={(reads) => change({ reads })}
          label={t`Lee los mensajes al llegar`}
          hint={t`Si no, quedan entregados hasta que los leas en su teléfono.`}
        />
        <Switch
          checked={draft.reachable}
          onChange={(reachable) => change({ reachable })}
          label={t`Tiene el teléfono encendido`}
          hint={t`Si no, lo que se le envía no llega.`}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t`Cancelar`}</Button>
          <Button type="submit" look="primary" busy={save.isPending}>
            {t`Guardar`}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

type Draft = Pick<CustomerView, 'name' | 'phone' | 'reads' | 'reachable'>

function inputOf(draft: Draft, person: CustomerView | null, hides: boolean): CustomerInput {
  const { name, reads, reachable } = draft
  if (person) {
    const { phone, user_id, username } = person
    return { phone, user_id, username, name, reads, reachable }
  }
  if (!hides) return { phone: draft.phone, name, reads, reachable }
  const handle =
    name
      .normalize('NFD')
      .replace(/[^a-zA-Z0-9]/g, '')
      .toLowerCase() || 'cliente'
  return { user_id: `US.${draft.phone}`, username: handle, name, reads, reachable }
}

/** Store a simulated person, and list them anew. */
export function useSavePerson(onSaved: (person: CustomerView) => void) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: async (body: CustomerInput) => (await simulatorAddPerson({ body })).data,
    onSuccess: async (person) => {
      await queries.invalidateQueries({ queryKey: simulatorPeopleQueryKey() })
      onSaved(person)
    },
  })
}
