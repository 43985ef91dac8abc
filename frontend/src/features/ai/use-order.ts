import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type ProviderList, type ProviderRoute, providersReorder } from '@/api'
import { providersRoutesQueryKey } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { toast } from '@/ui/toast'
import { choicesOf } from './order'

/**
 * Store another order, with the switch and the daily limit of each route. It is shown at once; changes that follow each
 * other quickly are stored one after the other, each on the version that the one before it made.
 */
export function useOrder(): (routes: readonly ProviderRoute[]) => void {
  const { i18n } = useLingui()
  const queries = useQueryClient()
  const key = providersRoutesQueryKey()
  const save = useMutation({
    mutationKey: ['providers', 'order'],
    scope: { id: 'providers.order' },
    mutationFn: async (routes: readonly ProviderRoute[]) => {
      const version = queries.getQueryData<ProviderList>(key)?.version ?? 0
      return (await providersReorder({ body: { version, order: choicesOf(routes) } })).data
    },
    onSuccess: (stored) => {
      const isLast = queries.isMutating({ mutationKey: ['providers', 'order'] }) === 1
      queries.setQueryData<ProviderList>(key, (shown) =>
        isLast || !shown ? stored : { ...shown, version: stored.version },
      )
    },
    onError: (error) => {
      toast.error(i18n._(messageOf(error)))
      void queries.invalidateQueries({ queryKey: key })
    },
  })
  return (routes) => {
    void queries.cancelQueries({ queryKey: key })
    queries.setQueryData<ProviderList>(key, (shown) => shown && { ...shown, routes: [...routes] })
    save.mutate(routes)
  }
}
