import { useLingui } from '@lingui/react/macro'
import { useInfiniteQuery } from '@tanstack/react-query'
import { UserPlus } from 'lucide-react'
import { useState } from 'react'
import type { Person } from '@/api'
import { peoplePeopleInfiniteOptions } from '@/api/@tanstack/react-query.gen'
import { useCan, useMe } from '@/session/session'
import { Avatar } from '@/ui/avatar'
import { Badge } from '@/ui/badge'
import { Button } from '@/ui/button'
import { DateTime } from '@/ui/date-time'
import { LoadMore } from '@/ui/load-more'
import { SkeletonRows } from '@/ui/skeleton'
import { type Column, Table } from '@/ui/table'
import { Invite } from './invite'
import { PersonMenu } from './person-menu'
import { RoleSelect } from './role-select'

/** Everybody who may come in, with what the one who looks may do about it. */
export function People() {
  const { t } = useLingui()
  const [inviting, setInviting] = useState(false)
  const mayManage = useCan('accounts:manage')
  const { user } = useMe()
  const list = useInfiniteQuery({
    ...peoplePeopleInfiniteOptions(),
    initialPageParam: {},
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    throwOnError: true,
  })
  const columns: Column<Person>[] = [
    { id: 'name', head: t`Nombre`, cell: (person) => <Name person={person} self={person.id === user.id} /> },
    {
      id: 'role',
      head: t`Papel`,
      cell: (person) => <RoleSelect person={person} fixed={!mayManage || person.id === user.id} />,
    },
    { id: 'state', head: t`Estado`, cell: (person) => <State person={person} /> },
    {
      id: 'factor',
      head: t`Segundo factor`,
      cell: (person) => (person.second_factor ? <Badge tone="good">{t`Sí`}</Badge> : <Badge>{t`No`}</Badge>),
    },
    { id: 'since', head: t`Desde`, cell: (person) => <DateTime at={person.created_at} look="brief" /> },
  ]
  if (mayManage) {
    columns.push({
      id: 'actions',
      head: <span className="sr-only">{t`Acciones`}</span>,
      cell: (person) => <PersonMenu person={person} self={person.id === user.id} />,
      numeric: true,
    })
  }
  if (list.isPending) return <SkeletonRows />
  return (
    <>
      {mayManage && (
        <div className="mb-3 flex justify-end">
          <Button look="primary" onClick={() => setInviting(true)}>
            <UserPlus aria-hidden />
            {t`Invitar`}
          </Button>
        </div>
      )}
      <Table
        label={t`Personas`}
        columns={columns}
        rows={list.data?.pages.flatMap((page) => page.items) ?? []}
        rowKey={(person) => person.id}
      />
      <LoadMore query={list} />
      {inviting && <Invite onClose={() => setInviting(false)} />}
    </>
  )
}

function Name({ person, self }: { person: Person; self: boolean }) {
  const { t } = useLingui()
  return (
    <span className="flex min-w-0 items-center gap-2.5">
      <Avatar name={person.username} className="size-8" />
      <span className="truncate font-medium">{person.username}</span>
      {self && <Badge>{t`Tú`}</Badge>}
    </span>
  )
}

function State({ person }: { person: Person }) {
  const { t } = useLingui()
  if (person.disabled_at) return <Badge tone="bad">{t`Desactivada`}</Badge>
  if (person.invited) return <Badge tone="warn">{t`Invitada`}</Badge>
  return <Badge tone="good">{t`Activa`}</Badge>
}
