import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

const ROOT = new URL('../..', import.meta.url).pathname

/** A model provider on this machine (`tests/fakes/model_server.py`): answers, or fails as it is told to. */
export class Models {
  readonly url: string
  #process: ChildProcess

  private constructor(url: string, process: ChildProcess) {
    this.url = url
    this.#process = process
  }

  static async start(reply = 'Abrimos de 9 a 18 h.'): Promise<Models> {
    const server = spawn(
      `${ROOT}.venv/bin/python`,
      ['-m', 'tests.fakes.model_server', '--reply', reply, '--latency-ms', '30'],
      { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const [said] = await once(server.stdout, 'data') // its address is all that it ever says
    return new Models(String(said).trim(), server)
  }

  /** What the next requests get, one each. */
  async willFail(...faults: ('server' | 'rate' | 'auth' | 'cut' | 'hang')[]): Promise<void> {
    await fetch(`${this.url}/__faults`, { method: 'POST', body: JSON.stringify(faults) })
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGTERM')
    await ended
  }
}
