import { useLingui } from '@lingui/react/macro'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type Person, peopleEndSession } from '@/api'
import { peopleSessionsOptions } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { Dialog } from '@/ui/dialog'
import { EmptyState } from '@/ui/empty-state'
import { ErrorPane } from '@/ui/error-pane'
import { Skeleton } from '@/ui/skeleton'
import { toast } from '@/ui/toast'
import { SessionRow } from './session-row'

/** Where a person is signed in, each to be closed. */
export function PersonSessions({ person, onClose }: { person: Person; onClose: () => void }) {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const options = peopleSessionsOptions({ path: { user_id: person.id } })
  const sessions = useQuery(options)
  const end = useMutation({
    mutationFn: (session_id: string) => peopleEndSession({ path: { user_id: person.id, session_id } }),
    onError: (error) => toast.error(i18n._(messageOf(error))),
    onSettled: () => queries.invalidateQueries({ queryKey: options.queryKey }),
  })
  return (
    <Dialog open onClose={onClose} title={t`Sesiones de ${person.username}`}>
      {sessions.isPending && <Skeleton className="h-16" />}
      {sessions.error && <ErrorPane error={sessions.error} retry={() => void sessions.refetch()} />}
      {sessions.data?.length === 0 && <EmptyState title={t`Ninguna sesión abierta`} />}
      <ul className="divide-y divide-line">
        {sessions.data?.map((session) => (
          <SessionRow
            key={session.id}
            session={session}
            busy={end.isPending}
            onEnd={() => end.mutate(session.id)}
          />
        ))}
      </ul>
    </Dialog>
  )
}
