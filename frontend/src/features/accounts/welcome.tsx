import { Trans, useLingui } from '@lingui/react/macro'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { authAcceptLink, authLookUpLink } from '@/api'
import { messageOf } from '@/session/messages'
import { Button } from '@/ui/button'
import { Field, Input } from '@/ui/field'
import { Skeleton } from '@/ui/skeleton'
import { Door } from './door'

/** Where a one-time link leads: choose a password. The token stands behind the `#`, so that no log ever has it. */
export function Welcome() {
  const { t, i18n } = useLingui()
  const [token] = useState(() => location.hash.slice(1))
  const [password, setPassword] = useState('')
  const link = useQuery({
    queryKey: ['link', token],
    queryFn: async ({ signal }) => (await authLookUpLink({ body: { token }, signal })).data,
    retry: false,
    enabled: token !== '',
  })
  const accept = useMutation({ mutationFn: () => authAcceptLink({ body: { token, password } }) })
  if (accept.isSuccess) {
    return (
      <Door title={t`Listo`}>
        <p className="mb-4 text-sm">{t`Tu contraseña está guardada. Ya puedes entrar con ella.`}</p>
        <ToSignIn label={t`Entrar`} />
      </Door>
    )
  }
  if (token === '' || link.isError) {
    return (
      <Door title={t`Este enlace no sirve`}>
        <p className="mb-4 text-sm">
          {link.error
            ? i18n._(messageOf(link.error))
            : t`Al enlace le falta un trozo. Ábrelo entero, tal como te llegó.`}
        </p>
        <ToSignIn label={t`Ir a entrar`} />
      </Door>
    )
  }
  if (!link.data)
    return (
      <Door title={t`Un momento`}>
        <Skeleton className="h-24" />
      </Door>
    )
  const name = link.data.username
  return (
    <Door title={link.data.purpose === 'invite' ? t`Te damos la bienvenida` : t`Elige otra contraseña`}>
      <form
        className="flex flex-col gap-3.5"
        onSubmit={(event) => {
          event.preventDefault()
          accept.mutate()
        }}
      >
        <p className="text-muted text-sm">
          <Trans>
            Tu usuario es <strong className="text-ink">{name}</strong>.
          </Trans>
        </p>
        <input type="hidden" name="username" autoComplete="username" value={name} />
        <Field
          label={t`Contraseña nueva`}
          hint={t`Larga y solo tuya: vale una frase de varias palabras.`}
          error={accept.error ? i18n._(messageOf(accept.error)) : null}
        >
          <Input
            type="password"
            autoComplete="new-password"
            required
            autoFocus
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </Field>
        <Button type="submit" look="primary" busy={accept.isPending}>
          {t`Guardar`}
        </Button>
      </form>
    </Door>
  )
}

function ToSignIn({ label }: { label: string }) {
  return (
    <Link to="/login" className="font-semibold text-accent hover:underline">
      {label}
    </Link>
  )
}
