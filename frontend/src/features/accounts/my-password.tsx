import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ownAccountChangePassword } from '@/api'
import { ownAccountSessionsQueryKey } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { codeOf } from '@/session/problem'
import { useMe } from '@/session/session'
import { Button } from '@/ui/button'
import { Field, Input } from '@/ui/field'
import { Section } from '@/ui/page'
import { toast } from '@/ui/toast'

export function MyPassword() {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const { user } = useMe()
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const change = useMutation({
    mutationFn: () => ownAccountChangePassword({ body: { current_password: current, new_password: next } }),
    onSuccess: () => {
      setCurrent('')
      setNext('')
      toast.success(t`Contraseña cambiada`, { detail: t`Tus otras sesiones se cerraron.` })
      void queries.invalidateQueries({ queryKey: ownAccountSessionsQueryKey() })
    },
  })
  const failure = change.error ? i18n._(messageOf(change.error)) : null
  const isAboutCurrent = codeOf(change.error) === 'wrong_credentials'
  return (
    <Section title={t`Contraseña`} description={t`Al cambiarla se cierran tus otras sesiones.`}>
      <form
        className="grid items-start gap-4 sm:grid-cols-[1fr_1fr_auto]"
        onSubmit={(event) => {
          event.preventDefault()
          change.mutate()
        }}
      >
        <input type="hidden" name="username" autoComplete="username" value={user.username} />
        <Field label={t`Contraseña actual`} error={isAboutCurrent && failure}>
          <Input
            type="password"
            autoComplete="current-password"
            required
            value={current}
            onChange={(event) => setCurrent(event.target.value)}
          />
        </Field>
        <Field label={t`Contraseña nueva`} error={!isAboutCurrent && failure}>
          <Input
            type="password"
            autoComplete="new-password"
            required
            value={next}
            onChange={(event) => setNext(event.target.value)}
          />
        </Field>
        <Button type="submit" busy={change.isPending} className="sm:mt-6">
          {t`Cambiar`}
        </Button>
      </form>
    </Section>
  )
}
