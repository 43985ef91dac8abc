import { useQuery } from '@tanstack/react-query'
import type { SimulatorView } from '@/api'
import { simulatorStateOptions } from '@/api/@tanstack/react-query.gen'
import { time } from '@/lib/format'
import { useMinute } from '@/ui/date-time'

/** The simulator's time goes on as ours does, from where it was when we asked. */
export function useSimulatedNow(state: SimulatorView): () => Date {
  const { dataUpdatedAt } = useQuery(simulatorStateOptions())
  const ahead = Date.parse(state.now) - dataUpdatedAt
  return () => new Date(Date.now() + ahead)
}

export function Clock({ now }: { now: () => Date }) {
  useMinute()
  return time(now())
}
