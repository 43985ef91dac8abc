import { Api, inviteAgent, newcomer, totp } from '../api.ts'
import { ADMIN, expect, expectAccessible, signIn, test } from '../fixtures.ts'

test('somebody who is not signed in is asked to, and comes back to where they wanted to go', async ({
  page,
}) => {
  await page.goto('/me')
  await expect(page.getByRole('heading', { name: 'Entrar' })).toBeVisible()
  await expectAccessible(page)
  await page.getByLabel('Usuario').fill(ADMIN.username)
  await page.getByLabel('Contraseña').fill(ADMIN.password)
  await page.getByLabel('Contraseña').press('Enter')
  await expect(page).toHaveURL(/\/me$/)
  await expect(page.getByRole('heading', { name: 'Mi cuenta', level: 1 })).toBeFocused()
  await expectAccessible(page)
})

test('a wrong password is told, and what was typed stays', async ({ page, guard }) => {
  guard.expect(/401.*auth\/login/)
  await page.goto('/login')
  await page.getByLabel('Usuario').fill('admin')
  await page.getByLabel('Contraseña').fill('no es esta contraseña')
  await page.getByRole('button', { name: 'Entrar' }).click()
  await expect(page.getByRole('alert')).toHaveText(/no son correctos/)
  await expect(page.getByLabel('Usuario')).toHaveValue('admin')
})

test('signing out in one tab signs the other out as well', async ({ panel, context, guard }) => {
  guard.expect(/401.*auth\/refresh/) // the other tab asks once whether its session stands
  const other = await context.newPage()
  guard.watch(other)
  await other.goto('/me')
  await expect(other.getByRole('heading', { name: 'Mi cuenta', level: 1 })).toBeVisible()
  await panel.getByRole('button', { name: 'Salir' }).click()
  await expect(panel).toHaveURL(/\/login$/)
  await expect(other).toHaveURL(/\/login/)
})

test('an access token that ran out is renewed without a word', async ({ panel, context, guard }) => {
  guard.expect(/401/)
  await panel.goto('/me')
  await panel.getByRole('heading', { level: 1 }).waitFor()
  await context.clearCookies({ name: /mostrador_access$/ })
  await panel.goto('/me')
  await expect(panel.getByRole('heading', { name: 'Mi cuenta', level: 1 })).toBeVisible()
})

test('the language and the theme change at once, and stay, elsewhere too', async ({
  page: panel,
  server,
  browser,
}) => {
  const person = await newcomer(server.url)
  await signIn(panel, person)
  await panel.goto('/me')
  await panel.getByLabel('Idioma').click()
  await panel.getByRole('option', { name: 'English' }).click()
  await expect(panel.getByRole('heading', { name: 'My account', level: 1 })).toBeVisible()
  await expect(panel.locator('html')).toHaveAttribute('lang', 'en')
  await panel.keyboard.press('Control+k')
  await panel.getByRole('combobox', { name: 'Search for a command' }).fill('dark')
  await expectAccessible(panel)
  await panel.keyboard.press('Enter')
  await expect(panel.locator('html')).toHaveAttribute('data-theme', 'dark')
  await panel.reload()
  await expect(panel.locator('html')).toHaveAttribute('data-theme', 'dark')
  await expect(panel.getByRole('heading', { name: 'My account', level: 1 })).toBeVisible()

  const api = await Api.as(server.url, person)
  await expect
    .poll(() => api.call('GET', '/api/auth/preferences'))
    .toMatchObject({ language: 'en', theme: 'dark' })
  const elsewhere = await (await browser.newContext({ baseURL: server.url, locale: 'es-ES' })).newPage()
  await signIn(elsewhere, person)
  await expect(elsewhere.locator('html')).toHaveAttribute('data-theme', 'dark')
  await expect(elsewhere.locator('html')).toHaveAttribute('lang', 'en')
  await elsewhere.context().close()
})

test('the keys are listed by ?, and single keys can be switched off', async ({ page: panel, server }) => {
  await signIn(panel, await newcomer(server.url))
  await panel.goto('/me')
  await panel.getByRole('heading', { level: 1 }).waitFor()
  await panel.keyboard.press('?')
  await expect(panel.getByRole('dialog', { name: 'Atajos de teclado' })).toBeVisible()
  await expectAccessible(panel)
  await panel.keyboard.press('Escape')
  await panel.getByRole('switch', { name: 'Atajos de una sola tecla' }).click()
  await panel.keyboard.press('?')
  await expect(panel.getByRole('dialog')).toHaveCount(0)
})

test('an address that does not exist says so, and the page of a stranger is not lost in a script', async ({
  panel,
}) => {
  await panel.goto('/nowhere/at/all')
  await expect(panel.getByText('Aquí no hay nada')).toBeVisible()
  const script = await panel.request.get('/assets/none-12345678.js')
  expect(script.status()).toBe(404)
})

test('the second factor is turned on with a first code, and then asked for at the door', async ({
  page,
  server,
  guard,
}) => {
  guard.expect(/401.*auth\/login/)
  guard.expect(/401.*auth\/refresh/) // the live connection asks once whether its session stands
  const people = await inviteAgent(server.url)
  await page.goto(people.link)
  await page.getByLabel('Contraseña nueva').fill(people.password)
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Guardar' }).click()
  await page.getByRole('link', { name: 'Entrar' }).click()
  await signIn(page, people)
  await page.goto('/me')
  await page.getByRole('button', { name: 'Activar' }).click()
  await page.getByLabel('Tu contraseña').fill(people.password)
  await page.getByRole('button', { name: 'Seguir' }).click()
  const secret = await page.locator('code').innerText()
  await expectAccessible(page)
  await page.getByRole('textbox', { name: 'Código' }).fill(totp(secret))
  await page.getByRole('dialog').getByRole('button', { name: 'Activar' }).click()
  const recovery = await page.getByRole('dialog').getByRole('listitem').first().innerText()
  await page.getByRole('button', { name: 'Los guardé' }).click()
  await expect(page.getByText('Activado')).toBeVisible()

  await page.getByRole('button', { name: 'Salir' }).click()
  await page.getByLabel('Usuario').fill(people.username)
  await page.getByLabel('Contraseña').fill(people.password)
  await page.getByRole('button', { name: 'Entrar' }).click()
  await page.getByLabel('Código de verificación').fill(recovery)
  await page.getByRole('button', { name: 'Entrar' }).click()
  await expect(page.getByRole('navigation', { name: 'Principal' })).toBeVisible()
})

test('a link that was used or made up says so', async ({ page, guard }) => {
  guard.expect(/links\/look-up/)
  await page.goto('/welcome#made-up')
  await expect(page.getByRole('heading', { name: 'Este enlace no sirve' })).toBeVisible()
  await expectAccessible(page)
})
