import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { apiKeysCreate } from '@/api'
import { apiKeysKeysInfiniteQueryKey } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { type Permission, useMe } from '@/session/session'
import { Button } from '@/ui/button'
import { CopyButton } from '@/ui/copy-button'
import { Dialog } from '@/ui/dialog'
import { Field, Input } from '@/ui/field'
import { Select } from '@/ui/select'

const DAYS = ['30', '90', '365'] as const
type Days = (typeof DAYS)[number]

// The server refuses these to every key, whoever makes it.
const PEOPLE_ONLY: readonly Permission[] = [
  'self:manage',
  'accounts:manage',
  'api_keys:manage',
  'security:manage',
]

/** Choose what a program may do, and show its key this once. */
export function NewApiKey({ onClose }: { onClose: () => void }) {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const { permissions } = useMe()
  const [name, setName] = useState('')
  const [days, setDays] = useState<Days>('90')
  const [scopes, setScopes] = useState<ReadonlySet<Permission>>(new Set())
  const create = useMutation({
    mutationFn: () => apiKeysCreate({ body: { name, scopes: [...scopes], expires_in_days: Number(days) } }),
    onSuccess: () => queries.invalidateQueries({ queryKey: apiKeysKeysInfiniteQueryKey() }),
  })
  if (create.data) return <ShowKey secret={create.data.data.key} name={name} onClose={onClose} />
  const toggle = (scope: Permission) => {
    const next = new Set(scopes)
    if (!next.delete(scope)) next.add(scope)
    setScopes(next)
  }
  return (
    <Dialog
      open
      onClose={onClose}
      wide
      title={t`Nueva clave de API`}
      description={t`Elige solo lo que el programa necesita. Nunca podrá más que tú.`}
      footer={
        <>
          <Button onClick={onClose}>{t`Cancelar`}</Button>
          <Button
            look="primary"
            type="submit"
            form="new-key"
            disabled={scopes.size === 0}
            busy={create.isPending}
          >
            {t`Crear clave`}
          </Button>
        </>
      }
    >
      <form
        id="new-key"
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          create.mutate()
        }}
      >
        <div className="grid gap-4 sm:grid-cols-[1fr_12rem]">
          <Field label={t`Para qué es`} error={create.error && i18n._(messageOf(create.error))}>
            <Input
              required
              autoFocus
              maxLength={100}
              autoComplete="off"
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          </Field>
          <Field label={t`Vale durante`}>
            <Select<Days>
              value={days}
              onChange={setDays}
              options={DAYS.map((value) => ({ value, label: t`${value} días` }))}
            />
          </Field>
        </div>
        <fieldset>
          <legend className="mb-1.5 font-medium text-[0.85rem]">{t`Permisos`}</legend>
          <div className="grid gap-x-4 gap-y-0.5 sm:grid-cols-2">
            {permissions
              .filter((scope) => !PEOPLE_ONLY.includes(scope))
              .map((scope) => (
                <label key={scope} className="flex min-h-7 items-center gap-2 text-sm max-md:min-h-11">
                  <input
                    type="checkbox"
                    className="size-4 accent-accent"
                    checked={scopes.has(scope)}
                    onChange={() => toggle(scope)}
                  />
                  <code className="font-mono text-xs">{scope}</code>
                </label>
              ))}
          </div>
        </fieldset>
      </form>
    </Dialog>
  )
}

function ShowKey({ secret, name, onClose }: { secret: string; name: string; onClose: () => void }) {
  const { t } = useLingui()
  return (
    <Dialog
      open
      onClose={onClose}
      title={t`Clave «${name}»`}
      description={t`Se muestra solo ahora. Guárdala donde el programa la lea; aquí solo queda su principio.`}
      footer={<Button look="primary" onClick={onClose}>{t`Ya la guardé`}</Button>}
    >
      <div className="flex items-center gap-2 rounded-lg border border-line bg-sunken p-2">
        <code className="min-w-0 flex-1 select-all break-all font-mono text-xs">{secret}</code>
        <CopyButton text={secret} label={t`Copiar clave`} />
      </div>
      <p className="mt-2 text-muted text-xs">
        {t`El programa la envía así:`} <code className="font-mono">Authorization: Bearer …</code>
      </p>
    </Dialog>
  )
}
