import type { QueryClient } from '@tanstack/react-query'
import { redirect } from '@tanstack/react-router'
import { businessProfileOptions } from '@/api/@tanstack/react-query.gen'
import { setTimeZone } from '@/lib/format'
import { ApiError } from '@/session/problem'
import { mayBeSignedIn, meQuery, type Permission } from '@/session/session'

type GuardArgs = { context: { queries: QueryClient }; location: { href: string } }

/** `beforeLoad` of everything that needs somebody signed in; strangers go to the sign-in and come back. */
export async function signedIn({ context, location }: GuardArgs): Promise<void> {
  if (!mayBeSignedIn()) throw toSignIn(location.href)
  try {
    await Promise.all([context.queries.ensureQueryData(meQuery), followBusinessTime(context.queries)])
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) throw toSignIn(location.href)
    throw error
  }
}

const toSignIn = (from: string) => redirect({ to: '/login', search: from === '/' ? {} : { next: from } })

/** Times are shown in the zone of the business; where it cannot be asked, in that of this computer. */
async function followBusinessTime(queries: QueryClient): Promise<void> {
  const stored = await queries.ensureQueryData(businessProfileOptions()).catch(() => null)
  if (stored) setTimeZone(stored.profile.hours?.time_zone)
}

/** `beforeLoad` of a screen that not everybody may open. The server refuses what is behind it all the same. */
export function needs(permission: Permission): (args: GuardArgs) => Promise<void> {
  return async (args) => {
    const me = await args.context.queries.ensureQueryData(meQuery)
    if (!me.permissions.includes(permission)) throw redirect({ to: '/' })
  }
}
