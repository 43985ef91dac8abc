import { Api, inviteAgent } from '../api.ts'
import { Customer } from '../customer.ts'
import { test as base, expect, expectAccessible, signIn } from '../fixtures.ts'
import { Models } from '../models.ts'
import { Server } from '../server.ts'

// A server of its own, which may ask the models of this machine.
const test = base.extend<{ api: Api }, { models: Models; server: Server }>({
  models: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names from the pattern
    async ({}, use) => {
      const models = await Models.start('Abrimos de 9 a 18 h.')
      await use(models)
      await models.stop()
    },
    { scope: 'worker' },
  ],
  server: [
    async ({ models }, use) => {
      const server = await Server.start({ AI_LOCAL_SERVERS: models.url })
      await use(server)
      await server.stop()
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  api: async ({ server }, use) => use(await Api.as(server.url)),
})
test.describe.configure({ mode: 'serial' }) // each begins with the providers that the one before it left

const cards = 'ol[aria-label="En el orden en que se preguntan"] h2'

test('a provider that is added in the panel is tried at once, and then answers customers', async ({
  panel,
  api,
  models,
  guard,
}) => {
  guard.expect(/422.*api\/ai\/providers/) // the address in somebody's network
  await panel.goto('/ai/providers')
  await expect(panel.getByRole('heading', { name: 'Respuestas sin modelo' })).toBeVisible()
  await panel.getByRole('button', { name: 'Añadir proveedor' }).click()
  await panel.getByRole('combobox', { name: 'Proveedor' }).click()
  await panel.getByRole('option', { name: 'OpenAI-compatible' }).click()
  await panel.getByLabel('Modelo', { exact: true }).fill('mistral-small')
  await panel.getByLabel('Clave (si la pide)').fill('a-key-that-nobody-may-see-9f2c')
  await panel.getByLabel('Dirección').fill('http://10.0.0.1/v1')
  await panel.getByRole('button', { name: 'Guardar y probar' }).click()
  await expect(panel.getByText(/No se puede usar esa dirección/)).toBeVisible()
  await expectAccessible(panel)
  await panel.getByLabel('Dirección').fill(models.url)
  await panel.getByRole('button', { name: 'Guardar y probar' }).click()
  await expect(panel.getByText(/Respondió en/)).toBeVisible()
  await panel.getByRole('button', { name: 'Listo' }).click()

  const card = panel.getByRole('listitem', { name: 'OpenAI-compatible mistral-small' })
  await expect(card.getByText('Responde ahora')).toBeVisible()
  await expect(card.getByText(/clave ••••9f2c/)).toBeVisible()
  await expect(panel.getByRole('heading', { name: 'Respuestas sin modelo' })).toHaveCount(0)
  expect(await panel.content()).not.toContain('a-key-that-nobody')
  const customer = await Customer.make(api)
  await customer.write('¿A qué hora abren?')
  await expect.poll(() => customer.received()).toEqual(['Abrimos de 9 a 18 h.'])
})

test('the order is changed by keys, by buttons and by dragging, and is kept', async ({
  panel,
  api,
  models,
}) => {
  for (const model of ['llama', 'qwen']) {
    await api.call('POST', '/api/ai/providers', { provider: 'lm_studio', model, base_url: models.url })
  }
  await panel.goto('/ai/providers')
  const shown = () => panel.locator(cards).allInnerTexts()
  await expect.poll(shown).toEqual(['OpenAI-compatible mistral-small', 'LM Studio llama', 'LM Studio qwen'])
  const handles = panel.getByRole('button', { name: /Mover/ })
  await handles.nth(2).press('ArrowUp')
  await expect.poll(shown).toEqual(['OpenAI-compatible mistral-small', 'LM Studio qwen', 'LM Studio llama'])
  await expect(handles.nth(1)).toBeFocused()
  await handles.nth(1).press('ArrowUp')
  await panel.getByRole('button', { name: 'Bajar OpenAI-compatible mistral-small' }).click()
  await expect.poll(shown).toEqual(['LM Studio qwen', 'LM Studio llama', 'OpenAI-compatible mistral-small'])

  const from = await handles.nth(2).boundingBox()
  const to = await handles.nth(0).boundingBox()
  if (!from || !to) throw new Error('there is nothing to drag')
  await panel.mouse.move(from.x + 8, from.y + 8)
  await panel.mouse.down()
  await panel.mouse.move(to.x + 8, to.y - 12, { steps: 8 })
  await panel.mouse.up()
  await expect.poll(shown).toEqual(['OpenAI-compatible mistral-small', 'LM Studio qwen', 'LM Studio llama'])
  await expect
    .poll(
      async () =>
        (await api.call<{ routes: { model: string }[] }>('GET', '/api/ai/providers')).routes[0]?.model,
    )
    .toBe('mistral-small')
  await panel.reload()
  await expect.poll(shown).toEqual(['OpenAI-compatible mistral-small', 'LM Studio qwen', 'LM Studio llama'])
})

test('a provider is switched off, limited, tried in vain, changed and removed', async ({ panel, models }) => {
  await panel.goto('/ai/providers')
  const card = panel.getByRole('listitem', { name: 'LM Studio qwen' })
  await card.getByRole('switch').click()
  await expect(card.getByText('Apagado')).toBeVisible()
  await models.willFail('auth')
  await card.getByRole('button', { name: 'Probar' }).click()
  await expect(card.getByText('Rechazó la clave').first()).toBeVisible()
  await expectAccessible(panel)

  await card.getByRole('button', { name: 'Más sobre LM Studio qwen' }).click()
  await panel.getByRole('menuitem', { name: 'Límite de gasto diario…' }).click()
  await panel.getByLabel('Dólares al día').fill('2.5')
  await panel.getByRole('button', { name: 'Guardar' }).click()
  await expect(card.getByText('0,00 US$ de 2,50 US$')).toBeVisible()

  await card.getByRole('button', { name: 'Más sobre LM Studio qwen' }).click()
  await panel.getByRole('menuitem', { name: 'Cambiar…' }).click()
  await panel.getByLabel('Modelo', { exact: true }).fill('qwen3')
  await panel.getByRole('button', { name: 'Guardar' }).click()
  const changed = panel.getByRole('listitem', { name: 'LM Studio qwen3' })
  await expect(changed.getByText('Apagado')).toBeVisible()

  await changed.getByRole('button', { name: 'Más sobre LM Studio qwen3' }).click()
  await panel.getByRole('menuitem', { name: 'Quitar…' }).click()
  await panel.getByRole('alertdialog').getByRole('button', { name: 'Quitar' }).click()
  await expect(changed).toHaveCount(0)
})

test('models are compared on one question, and nobody is written to', async ({ panel, api, models }) => {
  const before = await api.call<{ items: unknown[] }>('GET', '/api/outbound')
  await panel.goto('/ai/playground')
  await panel.getByRole('button', { name: '¿Eres una persona?' }).click()
  await panel.getByRole('button', { name: 'Preguntar a todos' }).click()
  const [one, other] = [
    panel.getByRole('region', { name: 'OpenAI-compatible · mistral-small' }),
    panel.getByRole('region', { name: 'LM Studio · llama' }),
  ]
  for (const column of [one, other]) {
    await expect(column.getByText('Abrimos de 9 a 18 h.')).toBeVisible()
    await expect(column.getByText('100 → 20')).toBeVisible()
  }
  await models.willFail('auth')
  await other.getByRole('button', { name: 'Preguntar solo a LM Studio · llama' }).click()
  await expect(other.getByText('Rechazó la clave')).toBeVisible()
  await expect(one.getByText('Abrimos de 9 a 18 h.')).toBeVisible()
  await expectAccessible(panel)
  expect((await api.call<{ items: unknown[] }>('GET', '/api/outbound')).items).toHaveLength(
    before.items.length,
  )
})

test('who may only look sees how the models are, and nothing to press', async ({ page, server }) => {
  const viewer = await inviteAgent(server.url, 'viewer')
  await page.goto(viewer.link)
  await page.getByLabel('Contraseña nueva').fill(viewer.password)
  await page.getByRole('button', { name: 'Guardar' }).click()
  await page.getByRole('link', { name: 'Entrar' }).click()
  await signIn(page, viewer)
  await page.setViewportSize({ width: 390, height: 844 })
  await page.goto('/ai/providers')
  await expect(page.getByRole('listitem', { name: 'OpenAI-compatible mistral-small' })).toBeVisible()
  await expect(page.getByRole('main').getByRole('button')).toHaveCount(0)
  await expect(page.getByRole('switch')).toHaveCount(0)
  await page.goto('/ai/playground')
  await expect(page).not.toHaveURL(/playground/)
})
