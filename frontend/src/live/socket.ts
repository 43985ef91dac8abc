import type { Happened, LiveEvent, Ping, Ready, Refused, Resync, Subscribed } from '@/api'

type ServerMessage = Ready | Subscribed | Happened | Resync | Ping | Refused
type Listener = (event: LiveEvent) => void
export type LiveStatus = 'connecting' | 'open' | 'down'

const FIRST_DELAY_MS = 500
const LONGEST_DELAY_MS = 15_000
const SILENCE_MS = 45_000 // the server speaks every 20 seconds
const SESSION_ENDED = 4401

export type LiveOptions = {
  url: string
  /** Get a new access cookie; false when the session is over. */
  renew: () => Promise<boolean>
  /** Events may have been lost: fetch again all that is shown. */
  resync: () => void
  random?: () => number
}

/** The one connection of this tab. It says what happened; whoever shows it fetches it again. */
export class LiveSocket {
  status: LiveStatus = 'connecting'
  #options: LiveOptions
  #socket: WebSocket | null = null
  #topics = new Map<string, Set<Listener>>()
  #watchers = new Set<() => void>()
  #others = new Set<(message: { type: string }) => void>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #silence: ReturnType<typeof setTimeout> | undefined
  #failures = 0
  #wasOpen = false
  #running = false

  constructor(options: LiveOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    window.addEventListener('online', this.#hurry)
    document.addEventListener('visibilitychange', this.#hurry)
    this.#connect()
  }

  stop(): void {
    this.#running = false
    window.removeEventListener('online', this.#hurry)
    document.removeEventListener('visibilitychange', this.#hurry)
    clearTimeout(this.#timer)
    clearTimeout(this.#silence)
    this.#socket?.close()
    this.#socket = null
    this.#wasOpen = false
  }

  /** Hear what happens on a topic (`conversations`, `conversation:<id>`, `outbound`, `system`). Returns how to stop. */
  on(topic: string, listener: Listener): () => void {
    let listeners = this.#topics.get(topic)
    if (!listeners) {
      listeners = new Set()
      this.#topics.set(topic, listeners)
      this.send({ type: 'subscribe', topics: [topic] })
    }
    listeners.add(listener)
    return () => this.#off(topic, listener)
  }

  #off(topic: string, listener: Listener): void {
    const listeners = this.#topics.get(topic)
    if (!listeners?.delete(listener) || listeners.size > 0) return
    this.#topics.delete(topic)
    this.send({ type: 'unsubscribe', topics: [topic] })
  }

  /** Hear every message that is not about a topic, presence for instance. Returns how to stop. */
  onMessage(listener: (message: { type: string }) => void): () => void {
    this.#others.add(listener)
    return () => this.#others.delete(listener)
  }

  watch = (listener: () => void): (() => void) => {
    this.#watchers.add(listener)
    return () => this.#watchers.delete(listener)
  }

  /** Say something now; what cannot be said now is not worth saying later. */
  send(message: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message))
  }

  #connect(): void {
    clearTimeout(this.#timer)
    const socket = new WebSocket(this.#options.url)
    this.#socket = socket
    socket.onmessage = (event) => this.#socket === socket && this.#hear(JSON.parse(String(event.data)))
    socket.onclose = (event) => this.#socket === socket && void this.#lost(event.code)
    this.#listenForSilence()
  }

  #hear(message: ServerMessage): void {
    this.#listenForSilence()
    switch (message.type) {
      case 'ready':
        this.#opened()
        break
      case 'event':
        for (const listener of this.#topics.get(message.topic) ?? []) listener(message.event)
        break
      case 'resync':
        this.#options.resync()
        break
      case 'ping':
        this.send({ type: 'pong' })
        break
      default:
        for (const listener of this.#others) listener(message)
    }
  }

  #opened(): void {
    this.#failures = 0
    const topics = [...this.#topics.keys()]
    if (topics.length > 0) this.send({ type: 'subscribe', topics })
    if (this.#wasOpen) this.#options.resync() // whatever happened while nobody listened
    this.#wasOpen = true
    this.#set('open')
  }

  async #lost(code: number): Promise<void> {
    this.#socket = null
    clearTimeout(this.#silence)
    if (!this.#running) return
    this.#set('down')
    if (code === SESSION_ENDED && !(await this.#options.renew().catch(() => true))) return this.stop()
    if (!this.#running) return
    const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures)
    this.#failures += 1
    this.#timer = setTimeout(() => this.#connect(), longest * (this.#options.random ?? Math.random)())
  }

  #listenForSilence(): void {
    clearTimeout(this.#silence)
    this.#silence = setTimeout(() => this.#socket?.close(), SILENCE_MS)
  }

  #hurry = (): void => {
    if (!this.#running || this.#socket || document.visibilityState === 'hidden') return
    this.#failures = 0
    this.#connect()
  }

  #set(status: LiveStatus): void {
    if (this.status === status) return
    this.status = status
    for (const watcher of this.#watchers) watcher()
  }
}
