import { useLingui } from '@lingui/react/macro'
import { locale } from '@/lib/i18n'
import { changePreferences, type Locale, type Preferences, usePreferences } from '@/lib/preferences'
import { Field } from '@/ui/field'
import { Section } from '@/ui/page'
import { Select } from '@/ui/select'
import { Switch } from '@/ui/switch'

const LANGUAGES: { value: Locale; label: string }[] = [
  { value: 'es', label: 'Español' },
  { value: 'en', label: 'English' },
  { value: 'pt-BR', label: 'Português (Brasil)' },
]

export function MyPreferences() {
  const { t } = useLingui()
  const now = usePreferences()
  const themes: { value: Preferences['theme']; label: string }[] = [
    { value: 'system', label: t`Como el sistema` },
    { value: 'light', label: t`Claro` },
    { value: 'dark', label: t`Oscuro` },
  ]
  const densities: { value: Preferences['density']; label: string }[] = [
    { value: 'comfortable', label: t`Cómoda` },
    { value: 'compact', label: t`Compacta` },
  ]
  return (
    <Section title={t`Cómo quieres verlo`}>
      <div className="grid gap-4 sm:grid-cols-3">
        <Field label={t`Idioma`}>
          <Select
            value={now.language ?? locale()}
            options={LANGUAGES}
            onChange={(language) => changePreferences({ language })}
          />
        </Field>
        <Field label={t`Tema`}>
          <Select value={now.theme} options={themes} onChange={(theme) => changePreferences({ theme })} />
        </Field>
        <Field label={t`Densidad`}>
          <Select
            value={now.density}
            options={densities}
            onChange={(density) => changePreferences({ density })}
          />
        </Field>
      </div>
      <div className="mt-4">
        <Switch
          checked={now.shortcuts_enabled}
          onChange={(shortcuts_enabled) => changePreferences({ shortcuts_enabled })}
          label={t`Atajos de una sola tecla`}
          hint={t`Pulsa ? para verlos. Mientras escribes no hacen nada.`}
        />
      </div>
    </Section>
  )
}
