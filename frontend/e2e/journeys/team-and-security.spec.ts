import { inviteAgent } from '../api.ts'
import { expect, expectAccessible, signIn, test } from '../fixtures.ts'

test('a person is invited, chooses a password, and sees what their role may see', async ({
  panel,
  browser,
  baseURL,
}) => {
  await panel.goto('/team')
  await panel.getByRole('button', { name: 'Invitar' }).click()
  await panel.getByLabel('Nombre de usuario').fill('berta')
  await expectAccessible(panel)
  await panel.getByRole('button', { name: 'Crear enlace' }).click()
  const link = await panel.getByRole('dialog', { name: 'Enlace para berta' }).locator('code').innerText()
  await panel.getByRole('button', { name: 'Listo' }).click()
  await expect(panel.getByRole('row', { name: /berta/ })).toContainText('Invitada')
  await expectAccessible(panel)

  const theirs = await browser.newContext({ baseURL })
  const page = await theirs.newPage()
  await page.goto(link)
  await page.getByLabel('Contraseña nueva').fill('cuatro caballos y una farola')
  await page.getByRole('button', { name: 'Guardar' }).click()
  await page.getByRole('link', { name: 'Entrar' }).click()
  await signIn(page, { username: 'berta', password: 'cuatro caballos y una farola' })
  await expect(page.getByRole('link', { name: 'Equipo' })).toHaveCount(0)

  await panel.reload()
  await panel.getByRole('combobox', { name: 'Papel de berta' }).click()
  await panel.getByRole('option', { name: 'Supervisión' }).click()
  await expect(panel.getByText('Papel de berta cambiado')).toBeVisible()
  await page.reload()
  await expect(page.getByRole('link', { name: 'Equipo' })).toBeVisible()

  await panel.getByRole('button', { name: 'Acciones para berta' }).click()
  await panel.getByRole('menuitem', { name: 'Desactivar' }).click()
  await panel.getByRole('button', { name: 'Desactivar' }).click()
  await expect(panel.getByRole('row', { name: /berta/ })).toContainText('Desactivada')
  await page.reload()
  await expect(page.getByRole('heading', { name: 'Entrar' })).toBeVisible()
  await theirs.close()
})

test('an API key is shown once, works, and works no longer when it is revoked', async ({ panel, server }) => {
  await panel.goto('/team?tab=keys')
  await panel.getByRole('button', { name: 'Nueva clave' }).click()
  await panel.getByLabel('Para qué es').fill('Tienda en línea')
  await panel.getByRole('checkbox', { name: 'conversations:read' }).check()
  await expectAccessible(panel)
  await panel.getByRole('button', { name: 'Crear clave' }).click()
  const key = await panel
    .getByRole('dialog', { name: /Clave «Tienda/ })
    .locator('code')
    .first()
    .innerText()
  await panel.getByRole('button', { name: 'Ya la guardé' }).click()
  await expect(panel.getByText(key)).toHaveCount(0)
  const asked = () =>
    fetch(`${server.url}/api/conversations`, { headers: { authorization: `Bearer ${key}` } })
  expect((await asked()).status).toBe(200)

  await panel
    .getByRole('row', { name: /Tienda/ })
    .getByRole('button', { name: 'Revocar' })
    .click()
  await panel.getByRole('alertdialog').getByRole('button', { name: 'Revocar' }).click()
  await expect(panel.getByRole('row', { name: /Tienda/ })).toContainText('Revocada')
  await expect.poll(async () => (await asked()).status).toBe(401)
})

test('what was done stands in the audit trail, with its filter in the address', async ({ panel, server }) => {
  const { username } = await inviteAgent(server.url, 'viewer')
  await panel.goto('/audit')
  await panel.getByLabel('Acción').fill('accounts.')
  await panel.getByLabel('Acción').press('Enter')
  await expect(panel).toHaveURL(/action=accounts\./)
  await panel.getByRole('button', { name: 'accounts.user_invited' }).first().click()
  await expect(panel.getByRole('dialog')).toContainText(username)
  await expectAccessible(panel)
})

test('the security console takes a snapshot, silences what is expected and says what is calm', async ({
  panel,
}) => {
  await panel.goto('/security')
  await expect(panel.getByText('Ninguna alerta abierta.')).toBeVisible()
  await panel.getByRole('button', { name: 'Callar' }).click()
  await panel.getByLabel('Por qué').fill('prueba de carga anunciada')
  await panel.getByRole('dialog').getByRole('button', { name: 'Callar' }).click()
  await expect(panel.getByText(/prueba de carga anunciada/)).toBeVisible()

  await panel.getByRole('button', { name: 'Tomar' }).click()
  await panel.getByLabel('Por qué').fill('revisión mensual')
  await panel.getByRole('button', { name: 'Tomar y firmar' }).click()
  const download = panel.waitForEvent('download')
  await panel.getByRole('button', { name: 'Descargar' }).first().click()
  const file = await (await download).path()
  const chooser = panel.waitForEvent('filechooser')
  await panel.getByRole('button', { name: 'Comprobar' }).click()
  await (await chooser).setFiles(file)
  await expect(panel.getByText('La firma es nuestra y nada cambió')).toBeVisible()
  await expectAccessible(panel)
})
