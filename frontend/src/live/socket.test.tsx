import { afterEach, expect, test, vi } from 'vitest'
import { LiveSocket } from './socket'

class FakeSocket {
  static OPEN = 1
  static made: FakeSocket[] = []
  readyState = 1
  sent: unknown[] = []
  onmessage: ((event: { data: string }) => void) | null = null
  onclose: ((event: { code: number }) => void) | null = null

  constructor() {
    FakeSocket.made.push(this)
  }
  send(text: string) {
    this.sent.push(JSON.parse(text))
  }
  close(code = 1000) {
    this.readyState = 3
    this.onclose?.({ code })
  }
  say(message: object) {
    this.onmessage?.({ data: JSON.stringify(message) })
  }
}

function start(renew = async () => true) {
  vi.stubGlobal('WebSocket', FakeSocket)
  vi.useFakeTimers()
  FakeSocket.made = []
  const resync = vi.fn()
  const live = new LiveSocket({ url: 'ws://panel/api/live', renew, resync, random: () => 1 })
  live.start()
  const latest = () => FakeSocket.made.at(-1) as FakeSocket
  return { live, resync, latest }
}

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

test('an event reaches whoever listens to its topic, and nobody else', () => {
  const { live, latest } = start()
  const heard = vi.fn()
  const stop = live.on('conversations', heard)
  latest().say({ type: 'ready', expires_at: '2026-11-28T00:00:00Z' })
  latest().say({ type: 'event', topic: 'conversations', event: { type: 'message.received' } })
  latest().say({ type: 'event', topic: 'outbound', event: { type: 'delivery.changed' } })
  expect(heard).toHaveBeenCalledTimes(1)
  stop()
  latest().say({ type: 'event', topic: 'conversations', event: { type: 'message.received' } })
  expect(heard).toHaveBeenCalledTimes(1)
  expect(latest().sent).toContainEqual({ type: 'unsubscribe', topics: ['conversations'] })
  live.stop()
})

test('a connection that is lost comes back, subscribes again and fetches what was missed', async () => {
  const { live, resync, latest } = start()
  live.on('outbound', vi.fn())
  latest().say({ type: 'ready' })
  expect(resync).not.toHaveBeenCalled()
  latest().close(1006)
  expect(live.status).toBe('down')
  await vi.advanceTimersByTimeAsync(600)
  expect(FakeSocket.made).toHaveLength(2)
  latest().say({ type: 'ready' })
  expect(latest().sent).toEqual([{ type: 'subscribe', topics: ['outbound'] }])
  expect(resync).toHaveBeenCalledTimes(1)
  expect(live.status).toBe('open')
  live.stop()
})

test('a session that has ended is not knocked at for ever', async () => {
  const { latest } = start(async () => false)
  latest().say({ type: 'ready' })
  latest().close(4401)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(FakeSocket.made).toHaveLength(1)
})

test('a connection that has gone silent is taken for dead', async () => {
  const { live } = start()
  await vi.advanceTimersByTimeAsync(46_000)
  expect(FakeSocket.made).toHaveLength(2)
  live.stop()
})

test('started twice, as in development, it is still one connection', () => {
  const { live } = start()
  live.start()
  expect(FakeSocket.made).toHaveLength(1)
  live.stop()
})
