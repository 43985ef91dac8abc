import { useLingui } from '@lingui/react/macro'
import { Field, Input, Textarea } from '@/ui/field'
import { Section } from '@/ui/page'
import { Select } from '@/ui/select'
import type { PartProps } from './part'
import { LANGUAGES } from './words'

/** Who the business is and how it sounds. */
export function Identity({ profile, change, readOnly }: PartProps) {
  const { t } = useLingui()
  return (
    <Section title={t`Quién es`}>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field
          label={t`Nombre del negocio`}
          error={profile.name.trim() === '' && t`El negocio necesita un nombre.`}
        >
          <Input
            maxLength={100}
            value={profile.name}
            onChange={(event) => change({ name: event.target.value })}
          />
        </Field>
        <Field label={t`Idioma`} hint={t`Si el cliente escribe en otro, el asistente lo sigue.`}>
          <Select
            value={profile.language}
            options={LANGUAGES}
            disabled={readOnly}
            onChange={(language) => change({ language })}
          />
        </Field>
        <Field label={t`A qué se dedica`} className="sm:col-span-2">
          <Textarea
            rows={3}
            maxLength={2000}
            value={profile.description}
            onChange={(event) => change({ description: event.target.value })}
          />
        </Field>
        <Field label={t`Tono`} hint={t`Cómo habla: cercano, formal, con frases cortas…`}>
          <Textarea
            rows={2}
            maxLength={300}
            value={profile.tone}
            onChange={(event) => change({ tone: event.target.value })}
          />
        </Field>
        <Field label={t`Saludo`} hint={t`Lo primero que dice a quien saluda.`}>
          <Textarea
            rows={2}
            maxLength={1000}
            value={profile.greeting}
            onChange={(event) => change({ greeting: event.target.value })}
          />
        </Field>
        <Field
          label={t`Cómo se presenta`}
          hint={t`Lo que dice cuando le preguntan si es una persona. Siempre la verdad.`}
          error={profile.disclosure.trim() === '' && t`El asistente tiene que poder decir qué es.`}
          className="sm:col-span-2"
        >
          <Textarea
            rows={2}
            maxLength={500}
            value={profile.disclosure}
            onChange={(event) => change({ disclosure: event.target.value })}
          />
        </Field>
      </div>
    </Section>
  )
}
