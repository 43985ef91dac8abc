import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { ownAccountEndSession } from '@/api'
import { ownAccountSessionsOptions } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { Section } from '@/ui/page'
import { toast } from '@/ui/toast'
import { SessionRow } from './session-row'

export function MySessions() {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const { data } = useSuspenseQuery(ownAccountSessionsOptions())
  const end = useMutation({
    mutationFn: (id: string) => ownAccountEndSession({ path: { session_id: id } }),
    onError: (error) => toast.error(i18n._(messageOf(error))),
    onSettled: () => queries.invalidateQueries({ queryKey: ownAccountSessionsOptions().queryKey }),
  })
  return (
    <Section
      title={t`Sesiones abiertas`}
      description={t`Si no reconoces una, ciérrala y cambia la contraseña.`}
    >
      <ul className="divide-y divide-line">
        {data.map((session) => (
          <SessionRow
            key={session.id}
            session={session}
            busy={end.isPending}
            onEnd={() => end.mutate(session.id)}
          />
        ))}
      </ul>
    </Section>
  )
}
