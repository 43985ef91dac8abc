import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = new URL('../..', import.meta.url).pathname
export const ADMIN = { username: 'admin', password: 'una clave larga para las pruebas' }

/** A real `mostrador serve` of its own: a free port, an empty data directory, the simulator as WhatsApp. */
export class Server {
  readonly url: string
  #process: ChildProcess
  #folder: string
  #log: string[] = []

  private constructor(port: number, environment: Record<string, string>) {
    this.url = `http://127.0.0.1:${port}`
    this.#folder = mkdtempSync(join(tmpdir(), 'mostrador-e2e-'))
    this.#process = spawn(join(ROOT, '.venv/bin/mostrador'), ['serve'], {
      cwd: this.#folder, // no .env of a developer's is found here
      env: {
        PATH: process.env.PATH,
        DATA_DIR: join(this.#folder, 'data'),
        PORT: String(port),
        ADMIN_USERNAME: ADMIN.username,
        ADMIN_PASSWORD: ADMIN.password,
        LOG_LEVEL: 'warning',
        TURN_QUIET_SECONDS: '0.2',
        RATE_LIMIT_API_REQUESTS: '100000',
        RATE_LIMIT_AUTH_REQUESTS: '1000',
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on('data', (chunk: Buffer) => this.#log.push(chunk.toString()))
    }
  }

  static async start(environment: Record<string, string> = {}): Promise<Server> {
    const server = new Server(await freePort(), environment)
    for (let tries = 0; tries < 300; tries++) {
      if (server.#process.exitCode !== null) break
      const ready = await fetch(`${server.url}/readyz`).catch(() => null)
      if (ready?.ok) return server
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    await server.stop()
    throw new Error(`mostrador did not start:\n${server.#log.join('')}`)
  }

  /** What it wrote, for the report of a journey that failed. */
  get log(): string {
    return this.#log.join('')
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null) {
      const ended = new Promise((resolve) => this.#process.once('exit', resolve))
      this.#process.kill('SIGTERM')
      const patience = setTimeout(() => this.#process.kill('SIGKILL'), 20_000)
      await ended
      clearTimeout(patience)
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      )
    })
  })
}
