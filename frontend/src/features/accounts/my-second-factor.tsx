import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import {
  ownAccountBeginSecondFactor,
  ownAccountConfirmSecondFactor,
  ownAccountDisableSecondFactor,
} from '@/api'
import { messageOf } from '@/session/messages'
import { meQuery, useMe } from '@/session/session'
import { Badge } from '@/ui/badge'
import { Button } from '@/ui/button'
import { CopyButton } from '@/ui/copy-button'
import { Dialog } from '@/ui/dialog'
import { Field, Input } from '@/ui/field'
import { Section } from '@/ui/page'
import { QrCode } from '@/ui/qr-code'

/** The authenticator: turned on with the password and a first code, off with the password. */
export function MySecondFactor() {
  const { t } = useLingui()
  const { user } = useMe()
  const [open, setOpen] = useState(false)
  const isOn = user.second_factor
  return (
    <Section
      title={t`Segundo factor`}
      description={t`Además de la contraseña, un código de tu teléfono.`}
      actions={
        <div className="flex items-center gap-3">
          <Badge tone={isOn ? 'good' : 'neutral'}>{isOn ? t`Activado` : t`Desactivado`}</Badge>
          <Button onClick={() => setOpen(true)}>{isOn ? t`Desactivar` : t`Activar`}</Button>
        </div>
      }
    >
      {open &&
        (isOn ? <TurnOff onClose={() => setOpen(false)} /> : <TurnOn onClose={() => setOpen(false)} />)}
    </Section>
  )
}

function TurnOff({ onClose }: { onClose: () => void }) {
  const { t } = useLingui()
  const queries = useQueryClient()
  const disable = useMutation({
    mutationFn: (password: string) => ownAccountDisableSecondFactor({ body: { password } }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: meQuery.queryKey })
      onClose()
    },
  })
  return (
    <Dialog open onClose={onClose} title={t`Desactivar el segundo factor`}>
      <Prove busy={disable.isPending} error={disable.error} onProve={disable.mutate} label={t`Desactivar`} />
    </Dialog>
  )
}

function TurnOn({ onClose }: { onClose: () => void }) {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const [code, setCode] = useState('')
  const begin = useMutation({
    mutationFn: async (password: string) => (await ownAccountBeginSecondFactor({ body: { password } })).data,
  })
  const confirm = useMutation({
    mutationFn: async () => (await ownAccountConfirmSecondFactor({ body: { code } })).data,
  })
  const close = () => {
    if (confirm.data) void queries.invalidateQueries({ queryKey: meQuery.queryKey })
    onClose()
  }
  const codes = confirm.data?.recovery_codes
  return (
    <Dialog open onClose={close} title={codes ? t`Guarda estos códigos` : t`Activar el segundo factor`}>
      {codes ? (
        <>
          <p className="mb-3 text-sm">{t`Cada uno sirve una vez para entrar sin el teléfono. No se vuelven a mostrar.`}</p>
          <ul className="tabular grid grid-cols-2 gap-x-6 gap-y-1 rounded-lg bg-sunken p-4 font-mono text-sm">
            {codes.map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
          <div className="mt-4 flex justify-between">
            <CopyButton text={codes.join('\n')} label={t`Copiar los códigos`} />
            <Button look="primary" onClick={close}>{t`Los guardé`}</Button>
          </div>
        </>
      ) : begin.data ? (
        <form
          className="flex flex-col gap-4"
          onSubmit={(event) => {
            event.preventDefault()
            confirm.mutate()
          }}
        >
          <p className="text-sm">{t`Escanéalo con tu aplicación de códigos y escribe el primero que te dé.`}</p>
          <QrCode text={begin.data.uri} label={t`Código QR para la aplicación de códigos`} />
          <p className="flex items-center justify-center gap-1 text-muted text-xs">
            <code className="select-all break-all font-mono">{begin.data.secret}</code>
            <CopyButton text={begin.data.secret} />
          </p>
          <Field label={t`Código`} error={confirm.error && i18n._(messageOf(confirm.error))}>
            <Input
              inputMode="numeric"
              pattern="[0-9]{6}"
              autoComplete="one-time-code"
              required
              autoFocus
              value={code}
              onChange={(event) => setCode(event.target.value)}
            />
          </Field>
          <Button type="submit" look="primary" busy={confirm.isPending}>
            {t`Activar`}
          </Button>
        </form>
      ) : (
        <Prove busy={begin.isPending} error={begin.error} onProve={begin.mutate} label={t`Seguir`} />
      )}
    </Dialog>
  )
}

type ProveProps = { busy: boolean; error: Error | null; onProve: (password: string) => void; label: string }

/** The password once more, before something that matters. */
function Prove({ busy, error, onProve, label }: ProveProps) {
  const { t, i18n } = useLingui()
  const [password, setPassword] = useState('')
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault()
        onProve(password)
      }}
    >
      <Field label={t`Tu contraseña`} error={error && i18n._(messageOf(error))}>
        <Input
          type="password"
          autoComplete="current-password"
          required
          autoFocus
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      </Field>
      <Button type="submit" look="primary" busy={busy}>
        {label}
      </Button>
    </form>
  )
}
