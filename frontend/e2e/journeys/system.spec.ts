import { createHmac } from 'node:crypto'
import { Api } from '../api.ts'
import { Customer } from '../customer.ts'
import { test as base, expect, expectAccessible } from '../fixtures.ts'
import { Server } from '../server.ts'

const APP_SECRET = '0123456789abcdef0123456789abcdef'

// A server of its own, which takes webhooks that this journey signs.
const test = base.extend<{ api: Api }, { server: Server }>({
  server: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names from the pattern
    async ({}, use) => {
      const server = await Server.start({ SIMULATOR: 'true', WHATSAPP_APP_SECRET: APP_SECRET })
      await use(server)
      await server.stop()
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  api: async ({ server }, use) => use(await Api.as(server.url)),
})

/** What Meta sends for a number that nobody has added here. */
async function webhookForNobody(url: string): Promise<void> {
  const message = {
    from: '34600111222',
    id: 'wamid.nobody',
    timestamp: '1790000000',
    type: 'text',
    text: { body: 'Hola' },
  }
  const value = {
    messaging_product: 'whatsapp',
    metadata: { phone_number_id: '999888777666' },
    messages: [message],
  }
  const body = JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [{ id: '1', changes: [{ field: 'messages', value }] }],
  })
  const signature = createHmac('sha256', APP_SECRET).update(body).digest('hex')
  const answer = await fetch(`${url}/webhooks/whatsapp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` },
    body,
  })
  expect(answer.status).toBe(200)
}

test('each part says how it is, what waits where, and the doctor what to do', async ({ panel }) => {
  await panel.goto('/system')
  await expect(panel.getByRole('main').getByRole('status')).toHaveText('Todo funciona')
  await expect(panel.getByRole('heading', { name: 'Base de datos' })).toBeVisible()
  await expect(panel.getByRole('listitem').filter({ hasText: 'Salida' })).toContainText('Mensajes por enviar')
  await expect(panel.getByRole('row', { name: /Web.*En marcha/ })).toBeVisible()
  await panel.getByRole('tab', { name: 'Diagnóstico' }).click()
  await expect(panel).toHaveURL(/tab=doctor/)
  await expect(panel.getByText('SQLite responde; escribe un solo proceso')).toBeVisible()
  await expectAccessible(panel)
})

test('what was given up is looked at, tried again with success, and put away with a reason', async ({
  panel,
  server,
  api,
}) => {
  await api.call('PUT', '/api/simulator/faults', { faults: [{ kind: 'error', code: 131026 }] })
  const customer = await Customer.make(api)
  await customer.write('¿A qué hora abren?')
  await webhookForNobody(server.url)

  await panel.goto('/system?tab=set_aside')
  const letters = panel.getByRole('list', { name: 'Apartados' })
  const unsent = letters.getByRole('listitem').filter({ hasText: 'Un mensaje que no se pudo enviar' })
  const unread = letters.getByRole('listitem').filter({ hasText: 'Un aviso de WhatsApp que no se pudo leer' })
  await expect(unsent).toBeVisible()
  await expect(unread).toContainText('Es para el número 999888777666, que no está entre los canales')
  await unread.getByRole('button', { name: 'Ver lo que llegó' }).click()
  await expect(panel.getByRole('textbox', { name: 'Lo que llegó de WhatsApp' })).toHaveValue(
    /"id": "wamid.nobody"/,
  )
  await expectAccessible(panel)
  await panel.keyboard.press('Escape')

  await api.call('DELETE', '/api/simulator/faults')
  await unsent.getByRole('button', { name: 'Reintentar' }).click()
  await expect(unsent).toHaveCount(0)
  await expect.poll(async () => (await customer.received()).length).toBe(1)

  await unread.getByRole('button', { name: 'Descartar…' }).click()
  await panel.getByLabel('¿Por qué?').fill('Era un número de pruebas')
  await panel.getByRole('button', { name: 'Descartar', exact: true }).click()
  await expect(panel.getByText('No hay nada apartado')).toBeVisible()
  type Trail = { items: { action: string; after: { reason?: string } | null }[] }
  const { items } = await api.call<Trail>('GET', '/api/audit?action=dead_letter.discarded')
  expect(items[0]?.after?.reason).toBe('Era un número de pruebas')
})
