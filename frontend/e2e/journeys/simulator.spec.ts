import type { Page } from '@playwright/test'
import { Api } from '../api.ts'
import { expect, expectAccessible, test } from '../fixtures.ts'

type Found = { items: { id: string; contact: { phone: string | null } }[] }

const write = async (page: Page, text: string) => {
  await page.getByLabel('Mensaje del cliente').fill(text)
  await page.keyboard.press('Enter')
}

/** A simulated customer of this journey's own, with the phone open. */
async function openPhone(page: Page, api: Api, name: string): Promise<string> {
  const phone = `54911${String(Math.floor(Math.random() * 1e8)).padStart(8, '0')}`
  await api.call('POST', '/api/simulator/people', { phone, name })
  await page.goto(`/simulator?person=${phone}`)
  await page.getByText(`Escribes como ${name}`).waitFor()
  return phone
}

async function conversationWith(api: Api, phone: string): Promise<string> {
  const { items } = await api.call<Found>('GET', `/api/conversations?q=${phone}`)
  const found = items.find(({ contact }) => contact.phone === phone)
  if (!found) throw new Error(`no conversation with ${phone}`)
  return found.id
}

test('a customer writes, is answered, and the trace says why', async ({ panel }) => {
  await panel.goto('/simulator')
  await expect(panel.getByText('Prueba tu asistente como un cliente')).toBeVisible()
  await expectAccessible(panel)
  await panel.getByRole('button', { name: 'Crear un cliente' }).click()

  await write(panel, 'Hola, ¿a qué hora abren?')
  const log = panel.getByRole('log')
  await expect(log.getByText('lunes a viernes de 9:00 a 18:00')).toBeVisible()
  await expect(log.locator('[data-delivery=delivered],[data-delivery=read]')).toHaveCount(1)

  const tools = panel.getByRole('complementary', { name: 'Traza y herramientas' })
  await expect(tools.getByText('Contestada')).toBeVisible()
  await expect(tools.getByText('Respondió sin modelo, con los datos del negocio')).toBeVisible()
  await expect(tools.getByRole('img', { name: 'Leído' })).toBeVisible()

  const input = panel.getByLabel('Mensaje del cliente')
  await input.press('ArrowUp')
  await expect(input).toHaveValue('Hola, ¿a qué hora abren?')
  await expectAccessible(panel)
})

test('photos, voice notes, places, quotes, reactions and buttons reach the business', async ({
  panel,
  server,
}) => {
  const api = await Api.as(server.url)
  const phone = await openPhone(panel, api, 'Ana García')
  const log = panel.getByRole('log')
  await write(panel, 'Quiero pedir <b>café</b>')
  await expect(log.getByText('Quiero pedir <b>café</b>')).toBeVisible()
  for (const sample of ['Foto de ejemplo', 'Nota de voz de ejemplo', 'Documento de ejemplo', 'Ubicación']) {
    await panel.getByRole('button', { name: 'Adjuntar' }).click()
    await panel.getByRole('menuitem', { name: sample }).click()
  }
  await expect(log.getByRole('img', { name: 'Foto' })).toBeVisible()
  await expect(log.getByLabel('Nota de voz', { exact: true })).toBeVisible()
  await expect(log.getByRole('link', { name: 'pedido.pdf' })).toBeVisible()
  await expect(log.getByText('Plaza del centro')).toBeVisible()

  const conversation = await conversationWith(api, phone)
  await api.call('POST', `/api/conversations/${conversation}/messages`, {
    content: {
      type: 'buttons',
      body: '¿Para cuándo?',
      buttons: [
        { id: 'today', title: 'Hoy' },
        { id: 'tomorrow', title: 'Mañana' },
      ],
    },
  })
  await log.getByRole('button', { name: 'Mañana' }).click()
  const question = log.getByRole('listitem').filter({ hasText: '¿Para cuándo?' }).first()
  await question.hover()
  await question.getByRole('button', { name: 'Opciones del mensaje' }).click()
  await expectAccessible(panel)
  await panel.getByRole('menuitem', { name: 'Reaccionar con 👍' }).click()
  await expect(question.getByText('👍')).toBeVisible()
  await question.hover()
  await question.getByRole('button', { name: 'Opciones del mensaje' }).click()
  await panel.getByRole('menuitem', { name: 'Responder' }).click()
  await write(panel, 'Mejor a las seis')
  await expect(log.getByRole('listitem').filter({ hasText: 'Mejor a las seis' })).toContainText(
    '¿Para cuándo?',
  )

  const kinds = async () => {
    const { items } = await api.call<{ items: { author: string; kind: string; text: string }[] }>(
      'GET',
      `/api/conversations/${conversation}/messages`,
    )
    return items.filter(({ author }) => author === 'customer').map(({ kind, text }) => `${kind} ${text}`)
  }
  await expect
    .poll(kinds)
    .toEqual(expect.arrayContaining([expect.stringMatching(/^image/), 'text Mejor a las seis']))
  expect((await kinds()).join('\n')).toMatch(/Mañana/)
})

test('after a day the window is closed, and only a template could reach the phone', async ({
  panel,
  server,
}) => {
  const api = await Api.as(server.url)
  const phone = await openPhone(panel, api, 'Luis Pérez')
  await write(panel, '¿Qué medios de pago aceptan?')
  const log = panel.getByRole('log')
  await expect(log.getByText('tarjeta y transferencia')).toBeVisible()
  await panel.getByRole('button', { name: '+24 horas' }).click()
  await expect(panel.getByText('Ventana cerrada')).toBeVisible()
  const conversation = await conversationWith(api, phone)
  const late = { content: { type: 'text', body: 'Un mensaje tardío' } }
  await expect(api.call('POST', `/api/conversations/${conversation}/messages`, late)).rejects.toThrow(
    'window_closed',
  )
  await expect(log.getByText('Un mensaje tardío')).toHaveCount(0)
})

test('WhatsApp says that it failed after it has accepted: the answer is there once, and settled', async ({
  panel,
  server,
}) => {
  await openPhone(panel, await Api.as(server.url), 'Marta Núñez')
  await panel.getByRole('button', { name: 'Elegir fallos' }).click()
  await panel.getByRole('combobox', { name: '500 después de aceptar: cuántas veces' }).click()
  await panel.getByRole('option', { name: 'Una vez' }).click()
  await expectAccessible(panel)
  await panel.getByRole('button', { name: 'Listo' }).click()
  await write(panel, '¿Dónde están ubicados?')
  await expect(panel.getByRole('log').getByText('Calle 10 # 5-20')).toHaveCount(1)
  const tools = panel.getByRole('complementary', { name: 'Traza y herramientas' })
  await expect(tools.getByRole('img', { name: 'Leído' })).toBeVisible()
  await expect(panel.getByText('500 después de aceptar ×1')).toHaveCount(0)
})

test('on a phone the frame is the screen, and its tools are a sheet', async ({ panel, server }) => {
  await panel.setViewportSize({ width: 390, height: 844 })
  await openPhone(panel, await Api.as(server.url), 'Camila Rojas')
  await write(panel, 'Buenas')
  await expect(panel.getByRole('log').getByText('Buenas')).toBeVisible()
  await panel.getByRole('button', { name: 'Traza y herramientas' }).click()
  await expect(
    panel.getByRole('dialog', { name: 'Traza y herramientas' }).getByText('Último turno'),
  ).toBeVisible()
  await expectAccessible(panel)
  expect(await panel.evaluate(() => document.documentElement.scrollWidth)).toBe(390)
})
