import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { simulatorPhone } from '@/api'
import { simulatorPeopleQueryKey } from '@/api/@tanstack/react-query.gen'
import { ApiError } from '@/session/problem'
import { BLANK, merge, type Screen } from './screen'

const WAIT_SECONDS = 20
const TYPING_WAIT_SECONDS = 4 // "is typing" ends by itself, which is no change that would wake the question
const PAUSE_AFTER_ERROR_MS = 2000

/** A person's phone, followed while the tab is seen. */
export function usePhone(personId: string): { screen: Screen; isLoaded: boolean } {
  const queries = useQueryClient()
  const [screen, setScreen] = useState<Screen | null>(null)
  useEffect(() => {
    const end = new AbortController()
    setScreen(null)
    void follow(personId, end.signal, setScreen).catch(() => {
      // The person is gone: somebody began anew.
      if (!end.signal.aborted) void queries.invalidateQueries({ queryKey: simulatorPeopleQueryKey() })
    })
    return () => end.abort()
  }, [personId, queries])
  return { screen: screen ?? BLANK, isLoaded: screen !== null }
}

/** Ask for what changed, again and again, until `signal` ends it. Throws when there is no such person. */
async function follow(personId: string, signal: AbortSignal, show: (screen: Screen) => void): Promise<void> {
  let screen: Screen | null = null
  while (!signal.aborted) {
    await untilSeen(signal)
    const before: Screen | null = screen
    const after: number = before?.seq ?? 0
    const wait_seconds = waitFor(before)
    try {
      const { data } = await simulatorPhone({
        path: { person_id: personId },
        query: { after, wait_seconds },
        signal,
      })
      if (data.seq === before?.seq && data.typing === before.typing) continue
      screen = merge(before ?? BLANK, data, data.seq < after)
      show(screen)
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof ApiError && error.status === 404) throw error
      screen = null // the server may have started anew, with other change numbers
      await pause(PAUSE_AFTER_ERROR_MS, signal)
    }
  }
}

function waitFor(screen: Screen | null): number {
  if (screen === null) return 0
  return screen.typing ? TYPING_WAIT_SECONDS : WAIT_SECONDS
}

/** A waiting question holds one of the browser's few connections: a tab that nobody sees lets it go. */
function untilSeen(signal: AbortSignal): Promise<void> {
  if (!document.hidden || signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden && !signal.aborted) return
      document.removeEventListener('visibilitychange', look)
      resolve()
    }
    document.addEventListener('visibilitychange', look)
    signal.addEventListener('abort', look, { once: true })
  })
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true },
    )
  })
}
