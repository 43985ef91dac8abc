import type { Conversation, ConversationPage } from '@/api'

export type IndexOptions = {
  page: (cursor: string | null) => Promise<ConversationPage>
  one: (id: string) => Promise<Conversation>
  /** Whether a changed conversation is to be listed; null when only the server can tell. */
  belongs: (conversation: Conversation) => boolean | null
}

type Status = 'loading' | 'ready' | 'failed'

const FLUSH_MS = 250
const MOST_SINGLE = 4 // more changes at once are cheaper as one page

const isNewer = (one: Conversation, other: Conversation) =>
  one.last_message_at > other.last_message_at ||
  (one.last_message_at === other.last_message_at && one.id > other.id)

/**
 * The list of the inbox: pages of the server, kept in order as news arrives.
 *
 * Rows hear only of themselves, the list only of its order. While it is held (a pointer rests on it, somebody moves
 * through it with the keys) rows change where they are, and those that would move wait until it is released.
 */
export class InboxIndex {
  status: Status = 'loading'
  error: unknown = null
  order: readonly string[] = []
  waiting = 0
  #items = new Map<string, Conversation>()
  #cursor: string | null = null
  #options: IndexOptions
  #watchers = new Set<() => void>()
  #rows = new Map<string, Set<() => void>>()
  #changed = new Set<string>()
  #moved = new Set<string>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #loading: Promise<void> | null = null
  #held = false
  #closed = false

  constructor(options: IndexOptions) {
    this.#options = options
  }

  get hasMore(): boolean {
    return this.#cursor !== null
  }

  get(id: string): Conversation | undefined {
    return this.#items.get(id)
  }

  watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  watchRow(id: string, watcher: () => void): () => void {
    const watchers = this.#rows.get(id) ?? new Set()
    this.#rows.set(id, watchers.add(watcher))
    return () => {
      watchers.delete(watcher)
      if (watchers.size === 0) this.#rows.delete(id)
    }
  }

  /** Fetch the first page; what was loaded beyond it stays. */
  async refresh(): Promise<void> {
    try {
      const page = await this.#options.page(null)
      const known = this.order.length > 0 && page.items.some((one) => this.#items.has(one.id))
      if (!known) {
        this.#items.clear()
        this.#cursor = page.next_cursor ?? null
      }
      for (const one of page.items) this.#keep(one)
      this.#dropMissing(page)
      this.status = 'ready'
      this.error = null
      this.#arrange()
    } catch (error) {
      if (this.status !== 'ready') {
        this.status = 'failed'
        this.error = error
      }
    }
    this.#tell()
  }

  /** What the first page no longer holds, and would, has gone to another list. */
  #dropMissing(page: ConversationPage): void {
    const last = page.items.at(-1)
    const listed = new Set(page.items.map((one) => one.id))
    for (const [id, one] of this.#items) {
      if (!listed.has(id) && (!last || !page.next_cursor || isNewer(one, last))) this.#items.delete(id)
    }
  }

  more(): Promise<void> {
    if (!this.#cursor) return Promise.resolve()
    this.#loading ??= this.#more(this.#cursor).finally(() => {
      this.#loading = null
    })
    return this.#loading
  }

  async #more(cursor: string): Promise<void> {
    const page = await this.#options.page(cursor).catch(() => null)
    if (!page || this.#cursor !== cursor) return
    this.#cursor = page.next_cursor ?? null
    const added = page.items.filter((one) => !this.#items.has(one.id))
    for (const one of page.items) this.#keep(one)
    this.order = [...this.order, ...added.map((one) => one.id)]
    this.#tell()
  }

  /** A conversation has changed somewhere: fetch it soon, together with others that have. */
  touch(id: string): void {
    this.#changed.add(id)
    this.#timer ??= setTimeout(() => void this.#flush(), FLUSH_MS)
  }

  async #flush(): Promise<void> {
    const changed = [...this.#changed]
    this.#changed.clear()
    if (changed.length > MOST_SINGLE) await this.refresh()
    else
      await Promise.all(
        changed.map((id) =>
          this.#options.one(id).then(
            (one) => this.put(one),
            () => {},
          ),
        ),
      )
    this.#timer = undefined
    if (this.#changed.size > 0 && !this.#closed) this.#timer = setTimeout(() => void this.#flush(), FLUSH_MS)
  }

  /** Take in a conversation as it is now. */
  put(one: Conversation): void {
    if (this.status !== 'ready') return
    const before = this.#items.get(one.id)
    const belongs = this.#options.belongs(one) ?? before !== undefined
    if (!belongs && !before) return
    if (belongs) this.#keep(one)
    const stays = belongs && before !== undefined && before.last_message_at === one.last_message_at
    if (stays) return
    this.#moved.add(one.id)
    if (!belongs && !this.#held) this.#items.delete(one.id)
    if (this.#held) this.waiting = this.#moved.size
    else this.#arrange()
    this.#tell()
  }

  /** While held, no row changes its place. */
  hold(held: boolean): void {
    if (this.#held === held) return
    this.#held = held
    if (!held) this.release()
  }

  /** Let those that wait move now. */
  release(): void {
    if (this.#moved.size === 0) return
    for (const id of this.#moved) {
      const one = this.#items.get(id)
      if (one && this.#options.belongs(one) === false) this.#items.delete(id)
    }
    this.#arrange()
    this.#tell()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #keep(one: Conversation): void {
    this.#items.set(one.id, one)
    for (const watcher of this.#rows.get(one.id) ?? []) watcher()
  }

  #arrange(): void {
    this.#moved.clear()
    this.waiting = 0
    this.order = [...this.#items.values()]
      .sort((one, other) => (isNewer(one, other) ? -1 : 1))
      .map((one) => one.id)
  }

  #tell(): void {
    for (const watcher of this.#watchers) watcher()
  }
}
