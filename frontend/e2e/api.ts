import { createHmac, randomUUID } from 'node:crypto'
import { ADMIN } from './server.ts'

/** Calls the API as a program does, for what a journey finds already there. */
export class Api {
  #url: string
  #token: string

  private constructor(url: string, token: string) {
    this.#url = url
    this.#token = token
  }

  static async as(url: string, who: { username: string; password: string } = ADMIN): Promise<Api> {
    const answer = await fetch(`${url}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: who.username, password: who.password }),
    })
    const { access_token } = (await answer.json()) as { access_token: string }
    return new Api(url, access_token)
  }

  async call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const answer = await fetch(this.#url + path, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return (answer.status === 204 ? undefined : await answer.json()) as Answer
  }
}

type Invited = { username: string; password: string; link: string }

/** Invite somebody; `link` is where they choose their password. */
export async function inviteAgent(url: string, role = 'agent'): Promise<Invited> {
  const admin = await Api.as(url)
  const username = `ana-${randomUUID().slice(0, 8)}`
  const made = await admin.call<{ token: string }>('POST', '/api/users/invitations', { username, role })
  return { username, password: 'cuatro caballos y una farola', link: `/welcome#${made.token}` }
}

/** Somebody who was invited and has chosen a password. */
export async function newcomer(url: string, role = 'agent'): Promise<Invited> {
  const invited = await inviteAgent(url, role)
  const admin = await Api.as(url)
  const body = { token: invited.link.split('#')[1], password: invited.password }
  await admin.call('POST', '/api/auth/links/accept', body)
  return invited
}

/** The six digits of an authenticator (RFC 6238). */
export function totp(secret: string, at = Date.now()): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...secret.replace(/[\s=]/g, '')]
    .map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0'))
    .join('')
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)))
  const hash = createHmac('sha1', key).update(counter).digest()
  const offset = (hash.at(-1) ?? 0) & 15
  return String((hash.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}
