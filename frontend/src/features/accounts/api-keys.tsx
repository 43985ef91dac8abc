import { Trans, useLingui } from '@lingui/react/macro'
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { KeyRound, Plus } from 'lucide-react'
import { useState } from 'react'
import { type ApiKey, apiKeysRevoke } from '@/api'
import { apiKeysKeysInfiniteOptions, apiKeysKeysInfiniteQueryKey } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { Badge } from '@/ui/badge'
import { Button } from '@/ui/button'
import { DateTime } from '@/ui/date-time'
import { Confirm } from '@/ui/dialog'
import { EmptyState } from '@/ui/empty-state'
import { LoadMore } from '@/ui/load-more'
import { SkeletonRows } from '@/ui/skeleton'
import { type Column, Table } from '@/ui/table'
import { toast } from '@/ui/toast'
import { NewApiKey } from './new-api-key'

/** Keys of programs: who made them, what they may do, when they end. */
export function ApiKeys() {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const [making, setMaking] = useState(false)
  const [revoking, setRevoking] = useState<ApiKey | null>(null)
  const list = useInfiniteQuery({
    ...apiKeysKeysInfiniteOptions(),
    initialPageParam: {},
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    throwOnError: true,
  })
  const revoke = useMutation({
    mutationFn: (key: ApiKey) => apiKeysRevoke({ path: { key_id: key.id } }),
    onSuccess: (_, key) => toast.success(t`La clave «${key.name}» ya no vale`),
    onError: (error) => toast.error(i18n._(messageOf(error))),
    onSettled: async () => {
      setRevoking(null)
      await queries.invalidateQueries({ queryKey: apiKeysKeysInfiniteQueryKey() })
    },
  })
  const keys = list.data?.pages.flatMap((page) => page.items) ?? []
  const columns: Column<ApiKey>[] = [
    { id: 'name', head: t`Nombre`, cell: (key) => <span className="font-medium">{key.name}</span> },
    {
      id: 'prefix',
      head: t`Empieza por`,
      cell: (key) => <code className="font-mono text-xs">{key.prefix}…</code>,
    },
    { id: 'scopes', head: t`Permisos`, cell: (key) => <Scopes scopes={key.scopes} /> },
    {
      id: 'used',
      head: t`Último uso`,
      cell: (key) => (key.last_used_at ? <DateTime at={key.last_used_at} look="relative" /> : t`Nunca`),
    },
    { id: 'state', head: t`Estado`, cell: (key) => <State apiKey={key} /> },
    {
      id: 'actions',
      head: <span className="sr-only">{t`Acciones`}</span>,
      numeric: true,
      cell: (key) =>
        isAlive(key) && (
          <Button size="sm" look="danger" onClick={() => setRevoking(key)}>
            {t`Revocar`}
          </Button>
        ),
    },
  ]
  const make = (
    <Button look="primary" onClick={() => setMaking(true)}>
      <Plus aria-hidden />
      {t`Nueva clave`}
    </Button>
  )
  if (list.isPending) return <SkeletonRows />
  return (
    <>
      {keys.length > 0 ? (
        <>
          <div className="mb-3 flex justify-end">{make}</div>
          <Table label={t`Claves de API`} columns={columns} rows={keys} rowKey={(key) => key.id} />
          <LoadMore query={list} />
        </>
      ) : (
        <EmptyState
          icon={<KeyRound aria-hidden />}
          title={t`Ningún programa se conecta todavía`}
          action={make}
        >
          {t`Una clave deja que otro sistema use la API con los permisos que tú elijas.`}
        </EmptyState>
      )}
      {making && <NewApiKey onClose={() => setMaking(false)} />}
      <Confirm
        open={revoking !== null}
        onClose={() => setRevoking(null)}
        onConfirm={() => revoking && revoke.mutate(revoking)}
        busy={revoke.isPending}
        danger
        title={t`¿Revocar «${revoking?.name ?? ''}»?`}
        confirm={t`Revocar`}
      >
        {t`El programa que la usa deja de poder entrar ahora mismo. No se puede deshacer.`}
      </Confirm>
    </>
  )
}

const isAlive = (key: ApiKey) => !key.revoked_at && new Date(key.expires_at) > new Date()

function State({ apiKey }: { apiKey: ApiKey }) {
  const { t } = useLingui()
  if (apiKey.revoked_at) return <Badge tone="bad">{t`Revocada`}</Badge>
  if (!isAlive(apiKey)) return <Badge tone="warn">{t`Caducada`}</Badge>
  return (
    <span className="text-muted text-xs">
      <Trans>
        Hasta <DateTime at={apiKey.expires_at} look="full" />
      </Trans>
    </span>
  )
}

function Scopes({ scopes }: { scopes: readonly string[] }) {
  return (
    <span className="flex flex-wrap gap-1 max-md:justify-end">
      {scopes.map((scope) => (
        <Badge key={scope}>
          <code className="font-mono">{scope}</code>
        </Badge>
      ))}
    </span>
  )
}
