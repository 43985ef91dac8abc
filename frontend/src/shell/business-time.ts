import type { QueryClient } from '@tanstack/react-query'
import { businessProfileOptions } from '@/api/@tanstack/react-query.gen'
import { setTimeZone } from '@/lib/format'

/** Show times where the business is, as its profile says; this computer's zone while that is not known. */
export async function keepBusinessTime({ context }: { context: { queries: QueryClient } }): Promise<void> {
  const stored = await context.queries.ensureQueryData(businessProfileOptions()).catch(() => null)
  setTimeZone(stored?.profile.hours?.time_zone)
}
