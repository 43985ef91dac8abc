import { randomInt } from 'node:crypto'
import type { Api } from './api.ts'

type Shown = { messages: { mine: boolean; text: string }[] }

/** Somebody with a phone, who writes to the business through the simulator. */
export class Customer {
  readonly phone: string
  #api: Api

  private constructor(api: Api, phone: string) {
    this.#api = api
    this.phone = phone
  }

  static async make(api: Api, name = 'Ana García'): Promise<Customer> {
    const phone = `346${randomInt(10_000_000, 99_999_999)}`
    await api.call('POST', '/api/simulator/people', { name, phone })
    return new Customer(api, phone)
  }

  async write(body: string): Promise<void> {
    await this.#api.call('POST', `/api/simulator/people/${this.phone}/messages`, {
      message: { type: 'text', body },
    })
  }

  /** What the business has written, as the phone shows it, the newest last. */
  async received(): Promise<string[]> {
    const { messages } = await this.#api.call<Shown>('GET', `/api/simulator/people/${this.phone}/phone`)
    return messages.filter((message) => !message.mine).map((message) => message.text)
  }
}
