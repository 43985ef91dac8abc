import type { Page } from '@playwright/test'
import { Api, newcomer } from '../api.ts'
import { expect, expectAccessible, signIn, test } from '../fixtures.ts'

const row = (page: Page, name: string) =>
  page.getByRole('list', { name: 'Conversaciones' }).getByRole('link', { name: new RegExp(`^${name}`) })
const composer = (page: Page) => page.getByRole('textbox', { name: /^Mensaje para/ })

test('a message arrives in the open inbox by itself, and is answered by hand after taking over', async ({
  panel,
  world,
}) => {
  const ana = await world.person('Ana Uno')
  await panel.goto('/inbox')
  await panel.getByRole('group', { name: 'Vista' }).waitFor()
  await ana.writes('Hola, ¿a qué hora abren?')
  await row(panel, 'Ana Uno').click()
  await expect(panel.getByRole('log')).toContainText('¿a qué hora abren?')
  await expect(panel.getByRole('log').getByText('Bot', { exact: true })).toBeVisible()

  await panel.getByRole('button', { name: 'Tomar' }).click()
  await expect(panel.getByText('Atiendes tú')).toBeVisible()
  await composer(panel).fill('Soy Marta, ahora te cuento.')
  await composer(panel).press('Enter')
  const mine = panel.getByRole('log').getByRole('listitem').filter({ hasText: 'Soy Marta, ahora te cuento.' })
  await expect(mine.locator('[data-delivery=read]')).toBeVisible()
  await expect(mine).toHaveCount(1)
  expect(await ana.sees()).toContain('Soy Marta')

  await ana.writes('Gracias Marta')
  await expect(panel.getByRole('log')).toContainText('Gracias Marta')
  await panel.getByRole('button', { name: 'Devolver al bot' }).click()
  await expect(panel.getByRole('region', { name: 'Conversación' }).getByText('Atiende el bot')).toBeVisible()
  await expectAccessible(panel)
})

test('every kind of message is shown as what it is, and markup is only text', async ({ panel, world }) => {
  const name = '<img src=x onerror=alert(1)>'
  const eva = await world.person(name)
  await eva.writes('<b>hola</b> <script>alert(1)</script> *fuerte* https://example.com/a.')
  await eva.writes({ type: 'image', caption: 'una foto' })
  await eva.writes({ type: 'audio', voice: true })
  await eva.writes({ type: 'document', filename: 'factura.pdf' })
  await eva.writes({ type: 'location', latitude: -34.6, longitude: -58.38, name: 'Obelisco' })
  await eva.writes({ type: 'contacts', name: 'Pepe', phones: ['+54 11 4444'] })
  await eva.writes('مرحبا هل أنتم مفتوحون')
  await eva.writes('a'.repeat(4000))
  const quoted = await eva.writes('me cito')
  await eva.writes({ type: 'text', body: 'respuesta', reply_to: quoted })
  await eva.writes({ type: 'reaction', message_id: quoted, emoji: '👍' })
  await panel.goto(`/inbox/${await eva.conversation()}`)
  const log = panel.getByRole('log')
  await expect(log.getByText('<script>alert(1)</script>')).toBeAttached()
  await expect(log.locator('strong', { hasText: 'fuerte' })).toBeAttached()
  await expect(log.getByRole('link', { name: 'https://example.com/a', exact: true })).toHaveAttribute(
    'rel',
    /noopener/,
  )
  await expect(log.getByRole('button', { name: 'Imagen' })).toBeAttached()
  await expect(log.locator('audio')).toBeAttached()
  await expect(log.getByRole('link', { name: /factura\.pdf/ })).toHaveAttribute('download', '')
  await expect(log.getByText('Obelisco')).toBeAttached()
  await expect(log.getByText('+54 11 4444')).toBeAttached()
  await expect(log.getByText('👍')).toBeAttached()
  await expect(log.getByRole('button', { name: 'me cito' })).toBeAttached()
  expect(await panel.locator('img[src="x"]').count()).toBe(0)
  const wide = await panel.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  expect(wide).toBeLessThanOrEqual(0)
  await panel.setViewportSize({ width: 320, height: 700 })
  expect(await log.evaluate((box) => box.scrollWidth - box.clientWidth)).toBeLessThanOrEqual(0)
  await expectAccessible(panel)
})

test('why: the turn, the models and the cost are one click away', async ({ panel, world }) => {
  const leo = await world.person('Leo Porqué')
  await leo.writes('¿Dónde están?')
  await panel.goto(`/inbox/${await leo.conversation()}`)
  await panel.getByRole('log').getByRole('button', { name: '¿por qué?' }).first().click()
  const why = panel.getByRole('dialog', { name: 'Por qué' })
  await expect(why.getByText('Contestada')).toBeVisible()
  await expect(why.getByText('Respondió')).toBeVisible()
  await expect(why.getByText('Coste')).toBeVisible()
  await expectAccessible(panel)
})

test('a note is for the team alone', async ({ panel, world }) => {
  const nico = await world.person('Nico Nota')
  await nico.writes('Hola')
  await panel.goto(`/inbox/${await nico.conversation()}`)
  await panel.getByRole('log').waitFor()
  await panel.keyboard.press('n')
  const field = panel.getByRole('textbox', { name: 'Nota para el equipo' })
  await field.fill('Ojo: pidió factura A')
  await field.press('Enter')
  await expect(panel.getByRole('log').getByText('Ojo: pidió factura A')).toBeVisible()
  await expectAccessible(panel)
  expect(await nico.sees()).not.toContain('factura A')
  await panel.getByRole('button', { name: 'Borrar la nota' }).click()
  await expect(panel.getByRole('log').getByText('Ojo: pidió factura A')).toHaveCount(0)
})

test('filters and the search stand in the address', async ({ panel, world }) => {
  const rita = await world.person('Rita Buscada')
  const otro = await world.person('Otro Cualquiera')
  await rita.writes('Hola')
  await otro.writes('Hola')
  await otro.conversation()
  await rita.conversation()
  await panel.goto('/inbox')
  await row(panel, 'Rita Buscada').waitFor()
  await panel.keyboard.press('/')
  await panel.keyboard.type('buscada')
  await expect(row(panel, 'Otro Cualquiera')).toHaveCount(0)
  await expect(row(panel, 'Rita Buscada')).toBeVisible()
  await expect(panel).toHaveURL(/q=buscada/)
  await panel.reload()
  await expect(panel.getByRole('searchbox')).toHaveValue('buscada')
  await expect(row(panel, 'Rita Buscada')).toBeVisible()
  await panel.getByRole('button', { name: 'Mías' }).click()
  await expect(panel.getByText('Nada por aquí')).toBeVisible()
  await expectAccessible(panel)
})

test('a message is found by what it says, and opens at its place', async ({ panel, world }) => {
  const elsa = await world.person('Elsa Encontrada')
  await elsa.writes('La clave es ornitorrinco azul')
  const id = await elsa.conversation()
  for (let place = 0; place < 60; place++) await elsa.writes(`relleno ${place}`)
  await panel.goto('/inbox')
  await panel.getByRole('searchbox').fill('ornitorrinco')
  const hits = panel.getByRole('region', { name: 'Mensajes que lo dicen' })
  await expect(hits.locator('mark')).toHaveText('ornitorrinco')
  await expectAccessible(panel)
  await hits.getByRole('link').click()
  await expect(panel).toHaveURL(new RegExp(`${id}.*message=`))
  await expect(panel.getByRole('log').getByText('ornitorrinco azul')).toBeInViewport()
})

test('keys walk through the list, and typing in the composer is only typing', async ({ panel, world }) => {
  const names = ['Tecla Uno', 'Tecla Dos', 'Tecla Tres']
  for (const name of names) {
    const person = await world.person(name)
    await person.writes('Hola')
    await person.conversation()
  }
  await panel.goto('/inbox?q=Tecla')
  await row(panel, 'Tecla Tres').waitFor()
  await panel.keyboard.press('j')
  await expect(composer(panel)).toBeVisible()
  const first = panel.url()
  await panel.keyboard.press('j')
  await expect(panel).not.toHaveURL(first)
  const second = panel.url()
  await expect(composer(panel)).toHaveAccessibleName('Mensaje para Tecla Dos')
  await panel.keyboard.press('r')
  await expect(composer(panel)).toBeFocused()
  await panel.keyboard.type('jkte')
  await expect(composer(panel)).toHaveValue('jkte')
  await expect(panel).toHaveURL(second)
  await panel.keyboard.press('Escape')
  await panel.keyboard.press('k')
  await expect(panel).toHaveURL(first)
  await panel.keyboard.press('j')
  await expect(composer(panel)).toHaveValue('jkte')
  await panel.keyboard.press('t')
  await expect(panel.getByText('Atiendes tú')).toBeVisible()
})

test('nothing moves under the pointer while news arrives', async ({ panel, world }) => {
  const first = await world.person('Puntero Primero')
  const second = await world.person('Puntero Segundo')
  await first.writes('uno')
  await first.conversation()
  await second.writes('dos')
  await second.conversation()
  await panel.goto('/inbox?view=unread')
  await row(panel, 'Puntero Segundo').hover()
  await first.writes('otra cosa')
  await expect(panel.getByRole('button', { name: /con novedades/ })).toBeVisible()
  const order = () => panel.getByRole('list', { name: 'Conversaciones' }).getByRole('link').allInnerTexts()
  expect((await order())[0]).toContain('Puntero Segundo')
  await panel.getByRole('button', { name: /con novedades/ }).click()
  await expect.poll(async () => (await order())[0]).toContain('Puntero Primero')
})

test('a closed conversation leaves the list and comes back when the customer writes', async ({
  panel,
  world,
}) => {
  const ciro = await world.person('Ciro Cerrado')
  await ciro.writes('Hola')
  await panel.goto(`/inbox/${await ciro.conversation()}?q=Ciro`)
  await panel.getByRole('log').waitFor()
  await panel.getByRole('button', { name: 'Cerrar', exact: true }).click()
  await panel.goto('/inbox?view=closed&q=Ciro')
  await row(panel, 'Ciro Cerrado').waitFor()
  await ciro.writes('¿Siguen ahí?')
  await panel.goto('/inbox?q=Ciro')
  await expect(row(panel, 'Ciro Cerrado')).toBeVisible()
})

test('a conversation is assigned to whoever shall look after it', async ({ panel, world }) => {
  const abel = await world.person('Abel Asignado')
  await abel.writes('Hola')
  await panel.goto(`/inbox/${await abel.conversation()}?view=mine`)
  await panel.getByRole('button', { name: 'Más acciones' }).click()
  await expectAccessible(panel)
  await panel.getByRole('menuitem', { name: 'Asignármela' }).click()
  await expect(panel.getByRole('complementary', { name: 'Ficha' })).toContainText('admin')
  await expect(row(panel, 'Abel Asignado')).toBeVisible()
})

test('canned replies are kept by a supervisor and found with a slash', async ({ panel, world }) => {
  await panel.goto('/canned-replies')
  await panel.getByRole('button', { name: 'Añadir' }).first().click()
  await panel.getByLabel('Atajo').fill('gracias')
  await panel.getByLabel('Título').fill('Despedida')
  await panel.getByLabel('Texto').fill('Gracias por escribir, {nombre}.')
  await expectAccessible(panel)
  await panel.getByRole('button', { name: 'Guardar' }).click()
  await expect(panel.getByText('/gracias')).toBeVisible()
  await expectAccessible(panel)
  const paz = await world.person('Paz Guardada')
  await paz.writes('Hola')
  await panel.goto(`/inbox/${await paz.conversation()}`)
  await composer(panel).fill('/gra')
  await expect(panel.getByRole('option', { name: /gracias/ })).toBeVisible()
  await composer(panel).press('Enter')
  await expect(composer(panel)).toHaveValue('Gracias por escribir, Paz Guardada.')
  await composer(panel).press('Enter')
  await expect.poll(() => paz.sees()).toContain('Gracias por escribir, Paz Guardada.')
})

test('a file is brought, shown, and reaches the customer', async ({ panel, world }) => {
  const fina = await world.person('Fina Ficha')
  await fina.writes('Hola')
  await panel.goto(`/inbox/${await fina.conversation()}`)
  await composer(panel).waitFor()
  await panel.locator('input[type=file]').setInputFiles({
    name: 'carta.pdf',
    mimeType: 'application/pdf',
    buffer: Buffer.from('%PDF-1.4\n%%EOF\n'),
  })
  await expect(panel.getByRole('list', { name: 'Archivos' })).toContainText('carta.pdf')
  await composer(panel).fill('Aquí va la carta')
  await panel.getByRole('button', { name: 'Enviar' }).click()
  await expect(panel.getByRole('log').getByRole('link', { name: /carta\.pdf/ })).toBeVisible()
  await expect.poll(() => fina.sees()).toContain('Aquí va la carta')
})

test('two people see that the other is there, and who writes', async ({
  panel,
  world,
  server,
  browser,
  guard,
}) => {
  const dora = await world.person('Dora Dos')
  await dora.writes('Hola')
  const address = `/inbox/${await dora.conversation()}`
  const colleague = await newcomer(server.url)
  const other = await (await browser.newContext({ baseURL: server.url, locale: 'es-ES' })).newPage()
  guard.watch(other)
  await signIn(other, colleague)
  await panel.goto(address)
  await other.goto(address)
  await expect(panel.getByText(`${colleague.username} está viendo`)).toBeVisible()
  const writing = composer(other).pressSequentially('Voy yo, que ya lo conozco de otra vez', { delay: 200 })
  await expect(panel.getByText(`${colleague.username} está escribiendo…`)).toBeVisible()
  await writing
  await other.context().close()
  await expect(panel.getByText(colleague.username)).toHaveCount(0)
})

test('with the window closed only a template can be sent', async ({ panel, world }) => {
  const vera = await world.person('Vera Ventana')
  await vera.writes('Hola')
  const id = await vera.conversation()
  await panel.clock.install()
  await panel.goto(`/inbox/${id}`)
  await expect(composer(panel)).toBeVisible()
  await panel.clock.fastForward('24:30:00')
  await expect(panel.getByRole('button', { name: 'Elegir plantilla' })).toBeVisible()
  await expect(composer(panel)).toHaveCount(0)
  await expectAccessible(panel)
})

test('whoever may only read has nothing to press', async ({ page, world, server }) => {
  const lola = await world.person('Lola Lectora')
  await lola.writes('Hola')
  const address = `/inbox/${await lola.conversation()}`
  const viewer = await newcomer(server.url, 'viewer')
  await signIn(page, viewer)
  await page.goto(address)
  await expect(page.getByRole('log')).toContainText('Hola')
  await expect(page.getByRole('button', { name: 'Tomar' })).toHaveCount(0)
  await expect(composer(page)).toHaveCount(0)
  await expectAccessible(page)
  const api = await Api.as(server.url, viewer)
  await expect(
    api.call('POST', `/api${address.replace('inbox', 'conversations')}/take-over`),
  ).rejects.toThrow('403')
})

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true })

  test('one pane at a time, with a way back', async ({ panel, world }) => {
    const pia = await world.person('Pía Pequeña')
    await pia.writes('Hola')
    await panel.goto('/inbox?q=Pía')
    await row(panel, 'Pía Pequeña').tap()
    await expect(panel.getByRole('log')).toContainText('Hola')
    await expect(panel.getByRole('list', { name: 'Conversaciones' })).toHaveCount(0)
    await expectAccessible(panel)
    await panel.getByRole('link', { name: 'Volver a la lista' }).tap()
    await expect(row(panel, 'Pía Pequeña')).toBeVisible()
    await panel.getByRole('button', { name: 'Más', exact: true }).tap()
    await expect(panel.getByRole('link', { name: 'Mi cuenta' })).toBeVisible()
    await expectAccessible(panel)
  })
})
