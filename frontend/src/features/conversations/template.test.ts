import { expect, test } from 'vitest'
import type { ApprovedTemplate } from '@/api'
import { isComplete, preview, toContent } from './template'

const promo: ApprovedTemplate = {
  id: '1',
  name: 'promo_nov',
  language: 'es',
  category: 'MARKETING',
  parameter_format: 'positional',
  parameters: [
    { place: 'header', kind: 'image' },
    { place: 'body', kind: 'text', name: '1' },
    { place: 'body', kind: 'text', name: '2' },
    { place: 'button', kind: 'text', name: '1', button_index: 0 },
  ],
  components: [
    { type: 'HEADER', format: 'IMAGE' },
    { type: 'BODY', text: 'Hola {{1}}, tu {{2}} está listo' },
    { type: 'FOOTER', text: 'Baja: BAJA' },
    { type: 'BUTTONS', buttons: [{ type: 'URL', text: 'Ver', url: 'https://x/{{1}}' }] },
  ],
}
const values = { 'header..image': 'file-1', 'body..1': 'Ana', 'body..2': 'pedido', 'button.0.1': 'abc' }

test('the preview fills in what was typed and keeps the braces of the rest', () => {
  expect(preview(promo, { 'body..1': 'Ana' })).toEqual({
    header: '',
    body: 'Hola Ana, tu {{2}} está listo',
    footer: 'Baja: BAJA',
    buttons: ['Ver'],
  })
})

test('it can be sent once nothing is missing', () => {
  expect(isComplete(promo, { ...values, 'body..2': ' ' })).toBe(false)
  expect(isComplete(promo, values)).toBe(true)
})

test('the message carries every parameter in its place', () => {
  expect(toContent(promo, values)).toEqual({
    type: 'template',
    name: 'promo_nov',
    language: 'es',
    components: [
      { type: 'header', parameters: [{ type: 'image', media_id: 'file-1' }] },
      {
        type: 'body',
        parameters: [
          { type: 'text', text: 'Ana' },
          { type: 'text', text: 'pedido' },
        ],
      },
      { type: 'button', index: 0, parameter: { type: 'text', text: 'abc' } },
    ],
  })
})

test('named parameters keep their names', () => {
  const named: ApprovedTemplate = {
    ...promo,
    parameter_format: 'named',
    parameters: [{ place: 'body', kind: 'text', name: 'cliente' }],
  }
  expect(toContent(named, { 'body..cliente': 'Ana' }).components).toEqual([
    { type: 'body', parameters: [{ type: 'text', text: 'Ana', name: 'cliente' }] },
  ])
})
