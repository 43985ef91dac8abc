import { client } from '@/api/client.gen'
import { errorOf } from './problem'

const PROOF = { 'X-Requested-With': 'mostrador-panel' } // shows the server that the panel itself asks
const NONCE_KEY = 'mostrador.refresh'
// These speak about a password or a link of their own; a new access token would not help them.
const OPEN = ['/api/auth/login', '/api/auth/refresh', '/api/auth/links/']

let refreshing: Promise<boolean> | null = null
let onSessionEnd: () => void = () => {}

/** Make the generated client speak as the panel. `sessionEnded` is called when there is nobody signed in any more. */
export function configureClient(sessionEnded: () => void): void {
  onSessionEnd = sessionEnded
  client.setConfig({ fetch: panelFetch, headers: PROOF })
  client.interceptors.error.use((error, response) => errorOf(error, response))
}

async function panelFetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init)
  const again = request.clone()
  const response = await fetch(request)
  if (response.status !== 401 || OPEN.some((path) => new URL(request.url).pathname.startsWith(path)))
    return response
  if (await refreshSession()) return fetch(again)
  onSessionEnd()
  return response
}

/** Get a new access cookie. False when the session is over; tabs that ask at once share one new token. */
export function refreshSession(): Promise<boolean> {
  refreshing ??= refresh().finally(() => {
    refreshing = null
  })
  return refreshing
}

async function refresh(): Promise<boolean> {
  const response = await fetch('/api/auth/refresh', {
    method: 'POST',
    headers: { ...PROOF, 'Content-Type': 'application/json' },
    body: JSON.stringify({ nonce: nonce() }),
  })
  if (response.ok) return true
  if (response.status === 401) return false
  throw errorOf(await response.json().catch(() => null), response)
}

/** A random text that all tabs of this browser share: by it the server knows them as one client. It opens nothing. */
function nonce(): string {
  try {
    const kept = localStorage.getItem(NONCE_KEY)
    if (kept) return kept
    const made = crypto.randomUUID()
    localStorage.setItem(NONCE_KEY, made)
    return made
  } catch {
    return crypto.randomUUID()
  }
}
