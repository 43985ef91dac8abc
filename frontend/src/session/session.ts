import { type QueryClient, queryOptions, useSuspenseQuery } from '@tanstack/react-query'
import { authMe, type Me, ownAccountLogout } from '@/api'
import { codeOf } from './problem'

export type Permission = Me['permissions'][number]
export type Role = Me['user']['role']

const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('mostrador.session')

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: async ({ signal }) => (await authMe({ signal })).data,
  staleTime: 5 * 60_000,
  gcTime: Number.POSITIVE_INFINITY,
})

const SIGNED_IN = 'mostrador.signed_in'

/** Whether this browser had a session last, as far as it knows: without one there is no need to ask the server. */
export const mayBeSignedIn = (): boolean => localStorage.getItem(SIGNED_IN) !== null
export const noteSignedIn = (): void => localStorage.setItem(SIGNED_IN, '1')

/** Who is signed in. Only inside the guarded routes, which know it before they render. */
export function useMe(): Me {
  return useSuspenseQuery(meQuery).data
}

/** Whether the person may do this: what they may not is not shown, and the server refuses it all the same. */
export function useCan(permission: Permission): boolean {
  return useMe().permissions.includes(permission)
}

/** Leave, here and in every tab of this browser. */
export async function signOut(): Promise<void> {
  try {
    await ownAccountLogout()
  } catch (error) {
    if (codeOf(error) === null) throw error // not reached: the session still stands, so do not pretend
  }
  channel?.postMessage('signed_out')
}

/** Forget everything that was shown to the one who left. */
export function forgetSession(queries: QueryClient): void {
  localStorage.removeItem(SIGNED_IN)
  queries.clear()
}

/** Be told when another tab signed out. Returns how to stop. */
export function onSignedOut(listener: () => void): () => void {
  const hear = (event: MessageEvent) => event.data === 'signed_out' && listener()
  channel?.addEventListener('message', hear)
  return () => channel?.removeEventListener('message', hear)
}
