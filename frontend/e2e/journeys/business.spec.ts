import { Api } from '../api.ts'
import { expect, expectAccessible, test } from '../fixtures.ts'

type Stored = { version: number; profile: Record<string, unknown> }

test('what is changed in the profile is seen in the instructions, and answers customers once it is saved', async ({
  panel,
  server,
}) => {
  await panel.goto('/business')
  await panel.getByLabel('Nombre del negocio').fill('Café Sol')
  await panel.getByRole('button', { name: 'Añadir un dato' }).click()
  await panel.getByLabel('Pregunta 4').fill('¿Hacen envíos a domicilio?')
  await expect(panel.getByText('Hay algo que corregir antes de guardar.')).toBeVisible()
  await panel.getByLabel('Respuesta 4').fill('Sí, en toda la ciudad, en dos horas.')
  const instructions = panel.getByRole('region', { name: 'Texto de las instrucciones' })
  await expect(instructions).toContainText('Café Sol')
  await expect(instructions).toContainText('en dos horas')
  await expectAccessible(panel)
  await panel.keyboard.press('Control+s')
  await expect(panel.getByText('Guardado. Rige desde el próximo mensaje.')).toBeVisible()
  await panel.reload()
  await expect(panel.getByLabel('Nombre del negocio')).toHaveValue('Café Sol')

  const api = await Api.as(server.url)
  await api.call('POST', '/api/simulator/people', { phone: '5491100000001', name: 'Ana' })
  await panel.goto('/simulator?person=5491100000001')
  await panel.getByLabel('Mensaje del cliente').fill('¿Hacen envíos a domicilio?')
  await panel.keyboard.press('Enter')
  await expect(panel.getByRole('log').getByText('Sí, en toda la ciudad, en dos horas.')).toBeVisible()
})

test('hours are typed as one likes, wrong ones are told, and special dates are kept', async ({
  panel,
  server,
}) => {
  await panel.goto('/business')
  await panel.getByRole('switch', { name: 'Tiene un horario' }).click()
  const zone = panel.getByLabel('Zona horaria')
  await zone.fill('Bogot')
  await panel.getByRole('option', { name: 'America/Bogota' }).click()
  const opens = panel.getByLabel('Lunes: abre')
  await opens.fill('830')
  await opens.blur()
  await expect(opens).toHaveValue('08:30')
  await panel.getByRole('button', { name: 'Otro tramo: Lunes' }).click()
  await panel.getByLabel('Lunes: abre').last().fill('17')
  await panel.getByLabel('Lunes: abre').last().blur()
  await expect(panel.getByText('Dos tramos se pisan.')).toBeVisible()
  await expect(panel.getByRole('button', { name: 'Guardar' })).toBeDisabled()
  await panel.getByRole('button', { name: 'Quitar 17:00–23:00' }).click()
  await panel.getByRole('button', { name: 'Copiar Lunes a todos los días' }).click()
  await expect(panel.getByLabel('Domingo: abre')).toHaveValue('08:30')
  await panel.getByRole('button', { name: 'Añadir una fecha' }).click()
  await panel.getByLabel('Fecha especial 1', { exact: true }).fill('2026-12-25')
  await panel.getByLabel('Motivo de la fecha 1').fill('Navidad')
  await panel.getByRole('button', { name: 'Guardar' }).click()
  await expect(panel.getByText('Guardado. Rige desde el próximo mensaje.')).toBeVisible()
  const { profile } = await (await Api.as(server.url)).call<Stored>('GET', '/api/business/profile')
  expect(profile.hours).toMatchObject({
    time_zone: 'America/Bogota',
    weekly: { sunday: [{ opens: '08:30', closes: '18:00' }] },
    exceptions: [{ on: '2026-12-25', name: 'Navidad', intervals: [] }],
  })
})

test('the pause stops every answer at once, and what was typed is still there', async ({ panel, server }) => {
  await panel.goto('/business')
  await panel.getByLabel('Tono').fill('Formal y breve')
  await panel.getByRole('button', { name: 'Pausar todo' }).click()
  await expect(panel.getByText('Todo está en pausa')).toBeVisible()
  await expect(panel.getByLabel('Tono')).toHaveValue('Formal y breve')
  const api = await Api.as(server.url)
  const stored = await api.call<Stored>('GET', '/api/business/profile')
  expect(stored.profile).toMatchObject({ paused: true })
  expect(stored.profile.tone).not.toBe('Formal y breve')
  await expectAccessible(panel)
  await panel.getByRole('button', { name: 'Reanudar' }).click()
  await expect(panel.getByText('El asistente está respondiendo')).toBeVisible()
})

test('two people edit at once: nobody overwrites the other unseen, and nothing typed is lost', async ({
  panel,
  server,
  guard,
}) => {
  guard.expect(/409.*business\/profile/)
  await panel.goto('/business')
  await panel.getByLabel('Tono').fill('El mío')
  const api = await Api.as(server.url)
  const { version, profile } = await api.call<Stored>('GET', '/api/business/profile')
  const theirs = { ...profile, tone: 'El suyo', greeting: 'Bienvenidos' }
  await api.call('PUT', '/api/business/profile', { version, profile: theirs })
  await panel.getByRole('button', { name: 'Guardar' }).click()
  await expect(panel.getByRole('alert').filter({ hasText: 'Otra persona guardó' })).toContainText('saludo')
  await expect(panel.getByLabel('Tono')).toHaveValue('El mío')
  await expect(panel.getByLabel('Saludo')).toHaveValue('Bienvenidos')
  await expectAccessible(panel)
  await panel.getByRole('button', { name: 'Con lo suyo' }).click()
  await expect(panel.getByLabel('Tono')).toHaveValue('El suyo')
  await expect(panel.getByText('Tienes cambios sin guardar.')).toHaveCount(0)
})

test('leaving with unsaved changes asks first', async ({ panel }) => {
  await panel.goto('/business')
  await panel.getByLabel('Tono').fill('Sin guardar')
  await panel.getByRole('navigation', { name: 'Principal' }).getByRole('link', { name: 'Teléfono' }).click()
  const question = panel.getByRole('alertdialog', { name: '¿Salir sin guardar?' })
  await question.getByRole('button', { name: 'Cancelar' }).click()
  await expect(panel.getByLabel('Tono')).toHaveValue('Sin guardar')
  await panel.getByRole('navigation', { name: 'Principal' }).getByRole('link', { name: 'Teléfono' }).click()
  await question.getByRole('button', { name: 'Salir sin guardar' }).click()
  await expect(panel).toHaveURL(/simulator/)
})
