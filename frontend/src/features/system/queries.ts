import { useQueryClient } from '@tanstack/react-query'
import { systemHealthQueryKey } from '@/api/@tanstack/react-query.gen'

/** The key under which the panel keeps dead letters, of whatever kind. */
export const DEAD_LETTERS = ['dead-letters']

/** Ask again for everything that counts dead letters. */
export function useLettersChanged(): () => Promise<unknown> {
  const queries = useQueryClient()
  return () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: DEAD_LETTERS }),
      queries.invalidateQueries({ queryKey: systemHealthQueryKey() }),
    ])
}
