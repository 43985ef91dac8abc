import { useEffect, useState } from 'react'

const key = (conversationId: string) => `mostrador.draft.${conversationId}`

/** What is being written into a conversation. It is still there after a reload, or when one comes back to it. */
export function useDraft(conversationId: string): [string, (text: string) => void] {
  const [text, setText] = useState(() => localStorage.getItem(key(conversationId)) ?? '')
  useEffect(() => setText(localStorage.getItem(key(conversationId)) ?? ''), [conversationId])
  const change = (next: string) => {
    setText(next)
    if (next === '') localStorage.removeItem(key(conversationId))
    else localStorage.setItem(key(conversationId), next)
  }
  return [text, change]
}
