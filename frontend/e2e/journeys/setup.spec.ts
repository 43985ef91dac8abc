import { expect, expectAccessible, signIn, test } from '../fixtures.ts'

test('the first start leads from nothing to an answered message, and can be left in between', async ({
  page,
}) => {
  await signIn(page)
  await expect(page).toHaveURL(/\/setup/)
  const steps = page.getByRole('navigation', { name: 'Pasos' })
  await expect(steps.getByRole('button', { name: /Negocio/ })).toHaveAttribute('aria-current', 'step')
  await expectAccessible(page)

  await page.getByLabel('Nombre del negocio').fill('Café Sol')
  await page.getByRole('button', { name: 'Guardar y seguir' }).click()
  await expect(steps.getByRole('button', { name: /Negocio/ })).toContainText('Hecho')
  await page.getByRole('button', { name: 'Omitir este paso' }).click()
  await expect(steps.getByRole('button', { name: /Modelo de IA/ })).toContainText('Omitido')

  await page.getByRole('button', { name: 'Seguir en otro momento' }).click()
  await expect(page).not.toHaveURL(/\/setup/)
  await page.goto('/')
  await expect(steps.getByRole('button', { name: /WhatsApp/ })).toHaveAttribute('aria-current', 'step')
  await page.getByRole('button', { name: 'Omitir este paso' }).click()
  await expect(steps.getByRole('button', { name: /Equipo/ })).toHaveAttribute('aria-current', 'step')
  await page.getByRole('button', { name: 'Omitir este paso' }).click()

  await page.getByRole('button', { name: 'Crear un cliente' }).click()
  await page.getByLabel('Mensaje del cliente').fill('Hola')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('log').getByText('asistente automático de Café Sol')).toBeVisible()
  await expect(steps.getByRole('button', { name: /Prueba/ })).toContainText('Hecho')
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Terminar' }).click()
  await expect(page).not.toHaveURL(/\/setup/)
  await page.goto('/')
  await page.getByRole('navigation', { name: 'Principal' }).waitFor()
  await expect(page).not.toHaveURL(/\/setup/)
})
