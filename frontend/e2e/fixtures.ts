import AxeBuilder from '@axe-core/playwright'
import { test as base, type ConsoleMessage, expect, type Page } from '@playwright/test'
import { ADMIN, Server } from './server.ts'
import { World } from './world.ts'

export { ADMIN, expect }

/** What went wrong in a page that nobody would have seen. A journey names what it means to cause. */
export class Guard {
  #found: string[] = []
  #meant: RegExp[] = []

  /** Errors of this kind are part of the journey: `/409/`, `/api\/auth\/login/`. */
  expect(kind: RegExp): void {
    this.#meant.push(kind)
  }

  watch(page: Page): void {
    page.on('pageerror', (error) => this.#found.push(`page error: ${error.stack ?? error.message}`))
    page.on('console', (message) => {
      if (message.type() === 'error') this.#found.push(text(message))
    })
    page.on('crash', () => this.#found.push('the page crashed'))
  }

  get problems(): string[] {
    return this.#found.filter((one) => !this.#meant.some((kind) => kind.test(one)))
  }
}

const text = (message: ConsoleMessage) => `console: ${message.text()} (${message.location().url})`

/** WCAG 2.2 AA and axe's best practices, in both themes, on what is shown now. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    const { violations } = await new AxeBuilder({ page })
      .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
      .analyze()
    const real = []
    for (const one of violations) {
      if (one.id !== 'region' || (await standsOnPage(page, one.nodes))) real.push(one)
    }
    const found = real.map(
      ({ id, impact, nodes }) =>
        `${colorScheme} ${impact} ${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join('\n  ')}`,
    )
    expect(found).toEqual([])
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null })
}

/** What Base UI shows above the page stands outside its landmarks by design: dialogs, menus, hints. */
async function standsOnPage(page: Page, nodes: readonly { target: unknown[] }[]): Promise<boolean> {
  for (const { target } of nodes) {
    const element = page.locator(String(target[0])).first()
    if (await element.evaluate((found) => found.closest('[data-base-ui-portal]') === null)) return true
  }
  return false
}

export async function signIn(page: Page, who: { username: string; password: string } = ADMIN): Promise<void> {
  await page.goto('/login')
  await page.getByLabel('Usuario').fill(who.username)
  await page.getByLabel('Contraseña').fill(who.password)
  await page.getByRole('button', { name: 'Entrar' }).click()
  await page.getByRole('navigation', { name: /Principal|Main/ }).waitFor()
}

type Fixtures = {
  /** Fails the journey on any CSP violation, page error or console error that it did not expect. */
  guard: Guard
  /** A page of somebody who is signed in as the administrator. */
  panel: Page
}

export const test = base.extend<Fixtures, { server: Server; world: World }>({
  server: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names from the pattern
    async ({}, use) => {
      const server = await Server.start()
      await use(server)
      await server.stop()
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  world: [async ({ server }, use) => use(await World.at(server.url)), { scope: 'worker' }],
  baseURL: async ({ server }, use) => use(server.url),
  guard: [
    async ({ page, server }, use, info) => {
      const guard = new Guard()
      guard.watch(page)
      await use(guard)
      if (info.status !== info.expectedStatus) await info.attach('server.log', { body: server.log })
      expect(guard.problems).toEqual([])
    },
    { auto: true },
  ],
  panel: async ({ page }, use) => {
    await signIn(page)
    await use(page)
  },
})
