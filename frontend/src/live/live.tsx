import { useQueryClient } from '@tanstack/react-query'
import {
  createContext,
  type ReactNode,
  use,
  useEffect,
  useEffectEvent,
  useState,
  useSyncExternalStore,
} from 'react'
import type { LiveEvent } from '@/api'
import { refreshSession } from '@/session/client'
import { LiveSocket, type LiveStatus } from './socket'

const Live = createContext<LiveSocket | null>(null)

/** Keeps the tab's one live connection while somebody is signed in. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient()
  const [socket] = useState(
    () =>
      new LiveSocket({
        url: `${location.origin.replace(/^http/, 'ws')}/api/live`,
        renew: refreshSession,
        resync: () => void queries.invalidateQueries(),
      }),
  )
  useEffect(() => {
    socket.start()
    return () => socket.stop()
  }, [socket])
  return <Live value={socket}>{children}</Live>
}

export function useLiveSocket(): LiveSocket {
  const socket = use(Live)
  if (!socket) throw new Error('this is shown only inside <LiveProvider>')
  return socket
}

/** Hear what happens on a topic while this is shown; null hears nothing. */
export function useLive(topic: string | null, heard: (event: LiveEvent) => void): void {
  const socket = useLiveSocket()
  const onEvent = useEffectEvent(heard)
  useEffect(() => (topic ? socket.on(topic, (event) => onEvent(event)) : undefined), [socket, topic])
}

export function useLiveStatus(): LiveStatus {
  const socket = useLiveSocket()
  return useSyncExternalStore(socket.watch, () => socket.status)
}
