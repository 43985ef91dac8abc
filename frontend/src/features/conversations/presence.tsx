import { useLingui } from '@lingui/react/macro'
import { useCallback, useEffect, useRef, useState } from 'react'
import type { Present } from '@/api'
import { useLiveSocket } from '@/live/live'
import { useMe } from '@/session/session'
import { plainName } from '@/ui/names'

const SAY_MS = 3000
const FORGET_MS = 6000
const TYPING_MS = 2500

/** Tell the others that one looks at a conversation, and know of those who do. `typing` is called at every key. */
export function usePresence(conversationId: string): { others: Present[]; typing: () => void } {
  const socket = useLiveSocket()
  const myId = useMe().user.id
  const [seen, setSeen] = useState<ReadonlyMap<string, { who: Present; until: number }>>(new Map())
  const lastTyped = useRef(0)
  const say = useCallback(
    (state: Present['state']) => socket.send({ type: 'presence', conversation_id: conversationId, state }),
    [socket, conversationId],
  )
  useEffect(() => {
    setSeen(new Map())
    const stop = socket.onMessage((message) => {
      const who = message as Present
      if (who.type !== 'presence' || who.conversation_id !== conversationId || who.user_id === myId) return
      setSeen((now) => new Map(now).set(who.user_id, { who, until: Date.now() + FORGET_MS }))
    })
    const beat = setInterval(() => {
      if (document.visibilityState === 'visible' && Date.now() - lastTyped.current > TYPING_MS) say('viewing')
      setSeen((now) => {
        const left = [...now].filter(([, one]) => one.until > Date.now())
        return left.length === now.size ? now : new Map(left)
      })
    }, SAY_MS)
    say('viewing')
    return () => {
      stop()
      clearInterval(beat)
    }
  }, [socket, conversationId, myId, say])
  const typing = useCallback(() => {
    if (Date.now() - lastTyped.current < TYPING_MS / 2) return
    lastTyped.current = Date.now()
    say('typing')
  }, [say])
  return { others: [...seen.values()].map((one) => one.who), typing }
}

/** Who else is here: before two people answer the same customer. */
export function Presence({ others }: { others: Present[] }) {
  const { t } = useLingui()
  const writing = others.filter((one) => one.state === 'typing')
  const shown = writing.length > 0 ? writing : others
  const names = shown.map((one) => plainName(one.name)).join(', ')
  return (
    <span role="status" className="min-w-0 truncate">
      {shown.length > 0 && (
        <span className={writing.length > 0 ? 'font-medium text-warn text-xs' : 'text-muted text-xs'}>
          {writing.length > 0 ? t`${names} está escribiendo…` : t`${names} está viendo`}
        </span>
      )}
    </span>
  )
}
