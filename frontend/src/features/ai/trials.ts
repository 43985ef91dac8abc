import { useEffect, useRef, useState } from 'react'
import { playgroundAsk, type TriedAnswer } from '@/api'

export type Trial =
  | { state: 'asking' }
  | { state: 'told'; answer: TriedAnswer }
  | { state: 'failed'; error: unknown }

type Trials = {
  of: (routeId: string) => Trial | undefined
  all: readonly Trial[]
  ask: (routeId: string, question: string) => void
  /** Wait for it no longer. */
  stop: (routeId: string) => void
}

/** One question to several models, each asked by itself: a slow one holds up nobody, and one alone can be asked again. */
export function useTrials(): Trials {
  const [trials, setTrials] = useState<Record<string, Trial>>({})
  const waiting = useRef(new Map<string, AbortController>())
  const show = (routeId: string, trial: Trial) => setTrials((before) => ({ ...before, [routeId]: trial }))

  const stop = (routeId: string) => {
    waiting.current.get(routeId)?.abort()
    setTrials(({ [routeId]: _, ...rest }) => rest)
  }
  const ask = async (routeId: string, question: string) => {
    waiting.current.get(routeId)?.abort()
    const { signal } = register(routeId)
    show(routeId, { state: 'asking' })
    try {
      const { data } = await playgroundAsk({ body: { question, route_ids: [routeId] }, signal })
      const answer = data.answers[0]
      if (answer && !signal.aborted) show(routeId, { state: 'told', answer })
    } catch (error) {
      if (!signal.aborted) show(routeId, { state: 'failed', error })
    }
  }
  const register = (routeId: string) => {
    const controller = new AbortController()
    waiting.current.set(routeId, controller)
    return controller
  }
  useEffect(() => {
    const all = waiting.current
    return () => {
      for (const controller of all.values()) controller.abort()
    }
  }, [])
  return {
    of: (routeId) => trials[routeId],
    all: Object.values(trials),
    ask: (routeId, question) => void ask(routeId, question),
    stop,
  }
}

/** The ids of the fastest and of the cheapest answer among at least two; none where a price is not known. */
export function best(answers: readonly TriedAnswer[]): { fastest: string | null; cheapest: string | null } {
  const told = answers.filter((answer) => answer.text !== null)
  if (told.length < 2) return { fastest: null, cheapest: null }
  return {
    fastest: least(told, (answer) => answer.milliseconds),
    cheapest: least(told, (answer) => (answer.cost_usd === null ? null : Number(answer.cost_usd))),
  }
}

/** The one with the least of something; null when several share it, or it is not known of one. */
function least(answers: readonly TriedAnswer[], of: (answer: TriedAnswer) => number | null): string | null {
  const known = answers.flatMap((answer) => {
    const value = of(answer)
    return value === null ? [] : [{ id: answer.route_id, value }]
  })
  if (known.length < answers.length) return null
  const smallest = Math.min(...known.map((one) => one.value))
  const winners = known.filter((one) => one.value === smallest)
  return winners.length === 1 ? (winners[0]?.id ?? null) : null
}
