import { expect, expectAccessible, test } from '../fixtures.ts'

test('a number is added, its webhook data can be copied, and each credential is tested', async ({
  panel,
}) => {
  await panel.goto('/channels')
  await panel.getByRole('button', { name: 'Añadir número' }).click()
  const form = panel.getByRole('dialog', { name: 'Un número de la Cloud API' })
  await form.getByLabel('Nombre').fill('Ventas')
  await form.getByLabel('Identificador del número').fill('100000000000077')
  await form.getByLabel('Token de acceso').fill('EAAB-a-token-that-nobody-has-1234')
  await form.getByLabel('Secreto de la app').fill('0123456789abcdef0123456789abcdef')
  await expectAccessible(panel)
  await form.getByRole('button', { name: 'Guardar y comprobar' }).click()
  await expect(form.getByText(/\/webhooks\/whatsapp\//)).toBeVisible()
  await expect(form.getByRole('button', { name: 'Copiar Token de verificación' })).toBeVisible()
  const checks = form.getByRole('list', { name: 'Comprobación' })
  await expect(checks.getByRole('listitem')).toHaveCount(7, { timeout: 30_000 })
  const address = checks.getByRole('listitem').filter({ hasText: 'WhatsApp puede llegar a este servidor' })
  await expect(address.getByRole('img', { name: 'Mal' })).toBeVisible()
  await expect(address).toContainText('PUBLIC_URL')
  await expectAccessible(panel)
  await form.getByRole('button', { name: 'Listo' }).click()

  const card = panel.getByRole('article', { name: 'Ventas' })
  await expect(card).toContainText('••••1234')
  await card.getByRole('button', { name: 'Cambiar' }).click()
  const change = panel.getByRole('dialog', { name: 'Cambiar Ventas' })
  await change.getByLabel('Nombre').fill('Ventas y pedidos')
  await change.getByRole('button', { name: 'Guardar y comprobar' }).click()
  await expect(change.getByRole('list', { name: 'Comprobación' })).toBeVisible({ timeout: 30_000 })
  await panel.keyboard.press('Escape')
  await expect(panel.getByRole('article', { name: 'Ventas y pedidos' })).toContainText('••••1234')
})

test('a stopped channel says so with its reason until it is resumed, and a healthy one passes every check', async ({
  panel,
}) => {
  await panel.goto('/channels')
  const card = panel.getByRole('article', { name: 'Simulador' })
  await card.getByRole('button', { name: 'Comprobar' }).click()
  await expect(panel.getByText('No se encontró ningún fallo.')).toBeVisible()
  await panel.keyboard.press('Escape')
  await card.getByRole('button', { name: 'Parar' }).click()
  await panel.getByLabel('Por qué').fill('Mudanza de oficina')
  await panel.getByRole('dialog').getByRole('button', { name: 'Parar' }).click()
  await expect(card).toContainText('Mudanza de oficina')
  await expect(card.getByText('Parado')).toBeVisible()
  await expectAccessible(panel)
  await card.getByRole('button', { name: 'Reanudar' }).click()
  await expect(card.getByText('En marcha')).toBeVisible()
})

test('a phone is linked only after its risks were accepted, and its browser is started and stopped', async ({
  panel,
}) => {
  await panel.goto('/channels')
  await panel.getByRole('button', { name: 'Vincular un teléfono' }).click()
  const dialog = panel.getByRole('dialog', { name: 'Vincular un teléfono' })
  await expect(dialog.getByText(/bloqueado en\s+cualquier momento/)).toBeVisible()
  await dialog.getByLabel('Nombre').fill('Mostrador')
  await expect(dialog.getByRole('button', { name: 'Aceptar y vincular' })).toBeDisabled()
  await expectAccessible(panel)
  await dialog.getByLabel('Lo leí y acepto el riesgo.').check()
  await dialog.getByRole('button', { name: 'Aceptar y vincular' }).click()
  const card = panel.getByRole('article', { name: 'Mostrador' })
  await card.getByRole('button', { name: 'Parar' }).click()
  await expect(card.getByRole('button', { name: 'Arrancar' })).toBeVisible()
  await expect(card).toContainText('WhatsApp puede bloquear el número')
  await expectAccessible(panel)
})
