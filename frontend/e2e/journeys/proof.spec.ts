import { Api } from '../api.ts'
import { Customer } from '../customer.ts'
import { expect, expectAccessible, test } from '../fixtures.ts'

test('every message is accounted for, and a button proves it', async ({ panel, server }) => {
  const customer = await Customer.make(await Api.as(server.url))
  await customer.write('¿A qué hora abren?')
  await expect.poll(async () => (await customer.received()).length).toBe(1)

  await panel.goto('/proof')
  await expect(panel.getByTestId('unexplained')).toHaveText('0Sin explicar')
  const answered = panel.getByRole('listitem').filter({ hasText: 'Respondidos por el asistente' })
  await expect(answered).toContainText('100')
  await expect(panel.getByText('Un turno tiene una sola respuesta.')).toBeVisible()
  await panel.getByRole('button', { name: 'Demostrarlo ahora' }).click()
  await expect(panel.getByRole('heading', { name: 'Demostrado: no falta ni sobra nada' })).toBeVisible()
  await expect(
    panel.getByText(/Se volvieron a leer .* avisos de WhatsApp con 1 mensaje: faltan 0/),
  ).toBeVisible()
  await expect(panel.getByRole('img', { name: 'Se cumple', exact: true })).toHaveCount(12)
  await expectAccessible(panel)

  await panel.getByText('Entre dos días').click()
  await panel.getByLabel('Primer día').fill('2026-01-01')
  await panel.getByLabel('Último día').fill('2026-01-31')
  await expect(panel).toHaveURL(/period=custom&from=2026-01-01&to=2026-01-31/)
  await expect(panel.getByText('En este tiempo no escribió nadie')).toBeVisible()
  await panel.getByLabel('Último día').fill('2026-03-01')
  await expect(panel.getByRole('alert')).toHaveText(/Como mucho 31 días/)

  await panel.getByText('24 horas').click()
  await panel.getByText('Ver ejemplos').first().click()
  await panel.getByRole('link', { name: 'Abrir la conversación' }).first().click()
  await expect(panel).toHaveURL(/\/inbox\/[0-9a-f-]{36}/)
})
