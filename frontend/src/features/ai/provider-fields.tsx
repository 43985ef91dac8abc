import { useLingui } from '@lingui/react/macro'
import { ApiError, codeOf } from '@/session/problem'
import { Field, Input } from '@/ui/field'
import { FORMS, type Kind } from './names'

/** What is written in the form; empty means that it is left out. */
export type Draft = { model: string; key: string; address: string; perMinute: string; perDay: string }

export const NOTHING: Draft = { model: '', key: '', address: '', perMinute: '', perDay: '' }

type FieldsProps = {
  kind: Kind
  draft: Draft
  onChange: (change: Partial<Draft>) => void
  error: Error | null
  /** How the stored key ends, where there is one. */
  keptKey?: string | null
  /** The form changes something that exists: a key may be left as it is. */
  isChange?: boolean
}

/** Model, key, address and limits of a provider, with what was wrong beside the field it is about. */
export function ProviderFields({ kind, draft, onChange, error, keptKey, isChange }: FieldsProps) {
  const { t } = useLingui()
  const form = FORMS[kind]
  const wrong = wrongIn(error)
  const isCompatible = kind === 'compatible'
  return (
    <>
      <Field
        label={t`Modelo`}
        hint={t`Tal como lo escribe el proveedor, por ejemplo ${form.model}`}
        error={
          codeOf(error) === 'provider_known'
            ? t`Ese modelo ya está en la lista.`
            : wrong('model') && t`El nombre de un modelo no lleva espacios.`
        }
      >
        <Input
          required
          autoComplete="off"
          spellCheck={false}
          maxLength={200}
          pattern="[!-~]+"
          value={draft.model}
          onChange={(event) => onChange({ model: event.target.value })}
        />
      </Field>
      {form.key !== 'none' && (
        <Field
          label={form.key === 'needed' ? t`Clave` : t`Clave (si la pide)`}
          hint={
            keptKey
              ? t`Guardada: ••••${keptKey}. Déjalo vacío para conservarla.`
              : t`Se guarda cifrada y no se vuelve a mostrar.`
          }
          error={wrong('api_key') && t`Una clave no lleva espacios.`}
        >
          <Input
            type="password"
            autoComplete="off"
            required={form.key === 'needed' && !isChange}
            maxLength={1000}
            pattern="[!-~]+"
            value={draft.key}
            onChange={(event) => onChange({ key: event.target.value })}
          />
        </Field>
      )}
      <Field
        label={isCompatible ? t`Dirección` : t`Dirección (si no es la suya)`}
        hint={
          form.address
            ? t`Por ejemplo ${form.address}. Un servidor de tu propia red tiene que nombrarlo antes quien administra el servidor, en AI_LOCAL_SERVERS.`
            : t`Déjalo vacío salvo que uses un intermediario. Con otra dirección hay que dar la clave de nuevo.`
        }
        error={
          (codeOf(error) === 'unsafe_address' || wrong('base_url')) &&
          t`No se puede usar esa dirección: tiene que empezar por https:// y estar en internet, o ser un servidor nombrado en AI_LOCAL_SERVERS.`
        }
      >
        <Input
          type="url"
          autoComplete="off"
          required={isCompatible}
          maxLength={500}
          value={draft.address}
          onChange={(event) => onChange({ address: event.target.value })}
        />
      </Field>
      <div className="grid grid-cols-2 gap-4">
        <Field label={t`Peticiones por minuto`}>
          <Limit value={draft.perMinute} onChange={(perMinute) => onChange({ perMinute })} />
        </Field>
        <Field label={t`Peticiones por día`}>
          <Limit value={draft.perDay} onChange={(perDay) => onChange({ perDay })} />
        </Field>
      </div>
    </>
  )
}

function Limit({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const { t } = useLingui()
  return (
    <Input
      type="number"
      inputMode="numeric"
      min={1}
      max={1_000_000}
      step={1}
      placeholder={t`Sin límite`}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  )
}

/** Tells whether the server found something wrong in a field. */
function wrongIn(error: Error | null): (field: string) => boolean {
  const fields = error instanceof ApiError ? error.fields.map((one) => one.field) : []
  return (field) => fields.includes(field)
}

export const isAboutField = (error: Error): boolean =>
  error instanceof ApiError &&
  (error.fields.length > 0 || error.code === 'provider_known' || error.code === 'unsafe_address')

export const numberOrNull = (text: string): number | null => (text === '' ? null : Number(text))
