import { useLingui } from '@lingui/react/macro'
import { useState } from 'react'
import { ApiError } from '@/session/problem'
import { Button } from '@/ui/button'
import { Field, Input } from '@/ui/field'

/** A Cloud API number as it is typed. */
export type CloudDraft = {
  name: string
  phone_number_id: string
  business_account_id: string
  token: string
  app_secret: string
  verify_token: string
  api_version: string
  messages_per_second: string
}

export const NEW_NUMBER: CloudDraft = {
  name: '',
  phone_number_id: '',
  business_account_id: '',
  token: '',
  app_secret: '',
  verify_token: '',
  api_version: '',
  messages_per_second: '',
}

type CloudFieldsProps = {
  draft: CloudDraft
  onChange: (part: Partial<CloudDraft>) => void
  error: unknown
  /** A number that is stored: what stays empty stays as it is. */
  isStored?: boolean
}

export function CloudFields({ draft, onChange, error, isStored }: CloudFieldsProps) {
  const { t } = useLingui()
  const [isWhole, setWhole] = useState(false)
  const wrong = (field: string) => isAbout(error, field) && t`Revisa este dato: no tiene la forma esperada.`
  const input = (name: keyof CloudDraft) => ({
    value: draft[name],
    onChange: (event: { target: { value: string } }) => onChange({ [name]: event.target.value }),
    autoComplete: 'off',
  })
  const secret = { type: 'password', minLength: 16, required: !isStored, autoComplete: 'new-password' }
  const kept = isStored ? t`Vacío: se queda como está.` : null
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <Field
        label={t`Nombre`}
        hint={t`Como lo llamáis vosotros: Ventas, Sucursal centro…`}
        error={wrong('name')}
      >
        <Input {...input('name')} required maxLength={100} />
      </Field>
      <Field
        label={t`Identificador del número`}
        hint={t`Solo cifras; en Meta, «Phone number ID».`}
        error={wrong('phone_number_id')}
      >
        <Input
          {...input('phone_number_id')}
          required
          disabled={isStored}
          inputMode="numeric"
          pattern="[0-9]{5,20}"
        />
      </Field>
      <Field
        label={t`Identificador de la cuenta`}
        hint={t`«WhatsApp Business Account ID». Lo piden las plantillas.`}
        error={wrong('business_account_id')}
      >
        <Input {...input('business_account_id')} inputMode="numeric" pattern="[0-9]{5,20}" />
      </Field>
      <Field
        label={t`Token de acceso`}
        hint={kept ?? t`Permanente, de un usuario del sistema.`}
        error={wrong('token')}
      >
        <Input {...input('token')} {...secret} />
      </Field>
      <Field
        label={t`Secreto de la app`}
        hint={kept ?? t`Comprueba que cada aviso viene de Meta.`}
        error={wrong('app_secrets')}
      >
        <Input {...input('app_secret')} {...secret} />
      </Field>
      <Field
        label={t`Token de verificación`}
        hint={kept ?? t`Cualquier texto largo; lo pegarás en Meta. Vacío: se crea uno.`}
        error={wrong('verify_token')}
      >
        <Input {...input('verify_token')} minLength={16} maxLength={256} />
      </Field>
      {isWhole ? (
        <>
          <Field label={t`Versión de la API`} hint={t`Vacía: la del servidor.`} error={wrong('api_version')}>
            <Input {...input('api_version')} placeholder="v26.0" pattern="v[0-9]{1,3}\.[0-9]{1,2}" />
          </Field>
          <Field
            label={t`Mensajes por segundo`}
            hint={t`El límite de Meta para el número. Vacío: el normal, 80.`}
            error={wrong('messages_per_second')}
          >
            <Input {...input('messages_per_second')} type="number" min={1} max={1000} />
          </Field>
        </>
      ) : (
        <Button look="quiet" size="sm" className="justify-self-start" onClick={() => setWhole(true)}>
          {t`Más opciones`}
        </Button>
      )}
    </div>
  )
}

/** Whether a refused form was refused for something that stands beside a field. */
export const isAboutFields = (error: unknown): boolean => error instanceof ApiError && error.fields.length > 0

const isAbout = (error: unknown, field: string): boolean =>
  error instanceof ApiError && error.fields.some((one) => one.field.split(/[.[]/)[0] === field)
