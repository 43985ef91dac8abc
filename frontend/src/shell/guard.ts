import type { QueryClient } from '@tanstack/react-query'
import { redirect } from '@tanstack/react-router'
import { ApiError } from '@/session/problem'
import { mayBeSignedIn, meQuery, type Permission } from '@/session/session'

type GuardArgs = { context: { queries: QueryClient }; location: { href: string } }

/** `beforeLoad` of everything that needs somebody signed in; strangers go to the sign-in and come back. */
export async function signedIn({ context, location }: GuardArgs): Promise<void> {
  if (!mayBeSignedIn()) throw toSignIn(location.href)
  try {
    await context.queries.ensureQueryData(meQuery)
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) throw toSignIn(location.href)
    throw error
  }
}

const toSignIn = (from: string) => redirect({ to: '/login', search: from === '/' ? {} : { next: from } })

/** `beforeLoad` of a screen that not everybody may open. The server refuses what is behind it all the same. */
export function needs(permission: Permission): (args: GuardArgs) => Promise<void> {
  return async (args) => {
    const me = await args.context.queries.ensureQueryData(meQuery)
    if (!me.permissions.includes(permission)) throw redirect({ to: '/' })
  }
}
