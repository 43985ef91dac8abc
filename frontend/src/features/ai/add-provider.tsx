import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { providersAdd, providersTest } from '@/api'
import { providersRoutesQueryKey } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { Field } from '@/ui/field'
import { Select } from '@/ui/select'
import { KINDS, type Kind, providerName } from './names'
import { type Draft, isAboutField, NOTHING, numberOrNull, ProviderFields } from './provider-fields'
import { TestResult } from './test-result'

/** Add a provider and try it at once: what was stored is not yet what answers. */
export function AddProvider({ onClose }: { onClose: () => void }) {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const [kind, setKind] = useState<Kind>('openai')
  const [draft, setDraft] = useState<Draft>(NOTHING)
  const add = useMutation({
    mutationFn: async () => {
      const { data: route } = await providersAdd({
        body: {
          provider: kind,
          model: draft.model,
          api_key: draft.key || null,
          base_url: draft.address || null,
          requests_per_minute: numberOrNull(draft.perMinute),
          requests_per_day: numberOrNull(draft.perDay),
        },
      })
      return (await providersTest({ path: { route_id: route.route_id } })).data
    },
    onSettled: () => queries.invalidateQueries({ queryKey: providersRoutesQueryKey() }),
  })
  const failure = add.error && !isAboutField(add.error) ? i18n._(messageOf(add.error)) : null
  if (add.data) {
    return (
      <Dialog
        open
        onClose={onClose}
        title={t`Proveedor añadido`}
        description={
          add.data.ok
            ? t`Está el último de la lista: súbelo si quieres que responda antes.`
            : t`Está guardado, el último de la lista, pero la prueba no salió bien. Revísalo desde su tarjeta.`
        }
        footer={<Button look="primary" onClick={onClose}>{t`Listo`}</Button>}
      >
        <TestResult result={add.data} />
      </Dialog>
    )
  }
  return (
    <Dialog open onClose={onClose} title={t`Añadir proveedor`}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          add.mutate()
        }}
      >
        <Field label={t`Proveedor`} error={failure}>
          <Select
            value={kind}
            onChange={setKind}
            options={KINDS.map((one) => ({ value: one, label: providerName(one) }))}
          />
        </Field>
        <ProviderFields
          kind={kind}
          draft={draft}
          error={add.error}
          onChange={(change) => setDraft((before) => ({ ...before, ...change }))}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t`Cancelar`}</Button>
          <Button type="submit" look="primary" busy={add.isPending}>
            {t`Guardar y probar`}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
