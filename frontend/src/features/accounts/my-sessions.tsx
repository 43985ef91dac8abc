import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { Laptop, Smartphone } from 'lucide-react'
import { ownAccountEndSession, type Session } from '@/api'
import { ownAccountSessionsOptions } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { Badge } from '@/ui/badge'
import { Button } from '@/ui/button'
import { DateTime } from '@/ui/date-time'
import { Section } from '@/ui/page'
import { toast } from '@/ui/toast'
import { device } from './device'

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

function SessionRow({ session, busy, onEnd }: { session: Session; busy: boolean; onEnd: () => void }) {
  const { t } = useLingui()
  const { name, isPhone } = device(session.user_agent)
  const Icon = isPhone ? Smartphone : Laptop
  return (
    <li className="flex items-center gap-3 py-2.5">
      <Icon aria-hidden className="size-5 shrink-0 text-muted" />
      <div className="min-w-0 flex-1">
        <p className="truncate text-sm">{name ?? t`Un programa`}</p>
        <p className="truncate text-muted text-xs">
          {session.address} · <DateTime at={session.last_used_at} look="relative" />
        </p>
      </div>
      {session.current ? (
        <Badge tone="good">{t`Esta`}</Badge>
      ) : (
        <Button size="sm" disabled={busy} onClick={onEnd}>
          {t`Cerrar`}
        </Button>
      )}
    </li>
  )
}
