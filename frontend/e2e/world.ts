import { Api } from './api.ts'

/** What customers do, on the simulator's phones: it reaches the product by the signed webhook, as Meta would bring it. */
export class World {
  readonly api: Api
  #number: string

  private constructor(api: Api, number: string) {
    this.api = api
    this.#number = number
  }

  static async at(url: string): Promise<World> {
    const api = await Api.as(url)
    const { numbers } = await api.call<{ numbers: { phone_number_id: string }[] }>('GET', '/api/simulator')
    return new World(api, numbers[0]?.phone_number_id ?? '')
  }

  async person(name: string): Promise<Customer> {
    const phone = `54911${Math.floor(10_000_000 + Math.random() * 89_999_999)}`
    const { id } = await this.api.call<{ id: string }>('POST', '/api/simulator/people', { name, phone })
    return new Customer(this.api, this.#number, id, phone, name)
  }

  /** Move the simulator's and so WhatsApp's clock on. */
  async wait(seconds: number): Promise<void> {
    await this.api.call('POST', '/api/simulator/clock', { advance_seconds: seconds })
  }
}

type PhoneMessage = { text?: string; from?: string; [member: string]: unknown }

export class Customer {
  readonly name: string
  readonly phone: string
  #api: Api
  #number: string
  #id: string

  constructor(api: Api, number: string, id: string, phone: string, name: string) {
    this.#api = api
    this.#number = number
    this.#id = id
    this.phone = phone
    this.name = name
  }

  /** Write `text`, or do anything else that a phone can; returns WhatsApp's id of it. */
  async writes(message: string | Record<string, unknown>): Promise<string> {
    const content = typeof message === 'string' ? { type: 'text', body: message } : message
    const path = `/api/simulator/people/${this.#id}/messages`
    const { message_id } = await this.#api.call<{ message_id: string }>('POST', path, {
      channel: this.#number,
      message: content,
    })
    return message_id
  }

  /** All that the phone shows, as JSON. */
  async sees(): Promise<string> {
    return JSON.stringify(
      await this.#api.call<{ messages: PhoneMessage[] }>('GET', `/api/simulator/people/${this.#id}/phone`),
    )
  }

  /** The id of the conversation with this person, once it is there. */
  async conversation(): Promise<string> {
    for (let tries = 0; tries < 100; tries++) {
      const found = await this.#api.call<{ items: { id: string }[] }>(
        'GET',
        `/api/conversations?q=${this.phone}`,
      )
      if (found.items[0]) return found.items[0].id
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    throw new Error(`${this.name} has no conversation`)
  }
}
