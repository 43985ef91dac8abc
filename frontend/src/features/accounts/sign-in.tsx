import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { useState } from 'react'
import { authLogin } from '@/api'
import { duration } from '@/lib/format'
import { messageOf } from '@/session/messages'
import { ApiError, codeOf } from '@/session/problem'
import { forgetSession, noteSignedIn } from '@/session/session'
import { Button } from '@/ui/button'
import { Field, Input } from '@/ui/field'
import { Door } from './door'

/** Username and password, then the code of whoever has a second factor. */
export function SignIn({ next }: { next?: string }) {
  const { t, i18n } = useLingui()
  const router = useRouter()
  const queries = useQueryClient()
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const login = useMutation({
    mutationFn: () =>
      authLogin({
        body: { username, password, session: 'cookie', ...(code && { code: code.replace(/\s/g, '') }) },
      }),
    onSuccess: async () => {
      forgetSession(queries)
      noteSignedIn()
      await router.invalidate()
      router.history.push(next ?? '/')
    },
  })
  const wantsCode = codeOf(login.error) === 'second_factor_required' || code !== ''
  const isWrong = login.error && codeOf(login.error) !== 'second_factor_required'
  const wait = login.error instanceof ApiError ? login.error.retryAfterSeconds : null
  const failure = isWrong ? i18n._(messageOf(login.error)) : null
  return (
    <Door title={t`Entrar`}>
      <form
        className="flex flex-col gap-3.5"
        onSubmit={(event) => {
          event.preventDefault()
          login.mutate()
        }}
      >
        <Field label={t`Usuario`}>
          <Input
            name="username"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            required
            autoFocus
            value={username}
            onChange={(event) => setUsername(event.target.value)}
          />
        </Field>
        <Field label={t`Contraseña`}>
          <Input
            name="password"
            type="password"
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </Field>
        {wantsCode && (
          <Field
            label={t`Código de verificación`}
            hint={t`Los seis números de tu aplicación, o un código de recuperación.`}
          >
            <Input
              name="code"
              autoComplete="one-time-code"
              inputMode="text"
              required
              autoFocus
              value={code}
              onChange={(event) => setCode(event.target.value)}
            />
          </Field>
        )}
        {failure && (
          <p role="alert" className="rounded-md bg-danger-soft px-3 py-2 text-danger text-sm">
            {failure}
            {wait !== null && ` ${t`Prueba otra vez en ${duration(wait)}.`}`}
          </p>
        )}
        <Button type="submit" look="primary" busy={login.isPending} className="mt-1 w-full">
          {t`Entrar`}
        </Button>
      </form>
    </Door>
  )
}
