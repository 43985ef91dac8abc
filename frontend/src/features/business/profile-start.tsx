import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { businessReplaceProfile } from '@/api'
import { businessProfileOptions } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { Button } from '@/ui/button'
import { Field, Input, Textarea } from '@/ui/field'
import { Select } from '@/ui/select'
import { isComplete } from './complete'
import { renamed } from './rename'
import { LANGUAGES } from './words'

/** The few lines of the profile without which nobody should go live. */
export function ProfileStart({ onSaved }: { onSaved: () => void }) {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const options = businessProfileOptions()
  const { data: stored } = useSuspenseQuery(options)
  const [name, setName] = useState(stored.profile.name)
  const [rest, setRest] = useState<{ description?: string; language?: 'es' | 'en' | 'pt-BR'; tone?: string }>(
    {},
  )
  const profile = { ...renamed(stored.profile, name), ...rest }
  const save = useMutation({
    mutationFn: async () =>
      (await businessReplaceProfile({ body: { version: stored.version, profile } })).data,
    onSuccess: (newer) => {
      queries.setQueryData(options.queryKey, newer)
      onSaved()
    },
    onError: () => queries.invalidateQueries({ queryKey: options.queryKey }),
  })
  return (
    <form
      className="grid gap-4 sm:grid-cols-2"
      onSubmit={(event) => {
        event.preventDefault()
        save.mutate()
      }}
    >
      <Field label={t`Nombre del negocio`}>
        <Input required maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
      </Field>
      <Field label={t`Idioma`}>
        <Select
          value={profile.language}
          options={LANGUAGES}
          onChange={(language) => setRest({ ...rest, language })}
        />
      </Field>
      <Field label={t`A qué se dedica`} className="sm:col-span-2">
        <Textarea
          rows={3}
          maxLength={2000}
          value={profile.description}
          onChange={(event) => setRest({ ...rest, description: event.target.value })}
        />
      </Field>
      <Field
        label={t`Tono`}
        hint={t`Cómo habla: cercano, formal, con frases cortas…`}
        className="sm:col-span-2"
      >
        <Input
          maxLength={300}
          value={profile.tone}
          onChange={(event) => setRest({ ...rest, tone: event.target.value })}
        />
      </Field>
      {save.error && (
        <p role="alert" className="font-medium text-danger text-sm sm:col-span-2">
          {i18n._(messageOf(save.error))}
        </p>
      )}
      <Button
        type="submit"
        look="primary"
        busy={save.isPending}
        disabled={!isComplete(profile)}
        className="justify-self-start"
      >
        {t`Guardar y seguir`}
      </Button>
    </form>
  )
}
