import { expect, test } from 'vitest'
import { base64, kindOf, messageWith } from './files'

test('a file becomes the kind of message that WhatsApp makes of it', () => {
  expect(kindOf('image/png')).toBe('image')
  expect(kindOf('image/svg+xml')).toBe('document')
  expect(kindOf('audio/ogg; codecs=opus')).toBe('audio')
  expect(kindOf('')).toBe('document')
})

test('bytes of any size travel as base64', () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, at) => at % 251)
  expect(Uint8Array.from(atob(base64(bytes)), (letter) => letter.charCodeAt(0))).toEqual(bytes)
})

test('a document keeps its name, and what quotes a message says so', async () => {
  const file = new File(['%PDF-1.4'], 'menú.pdf', { type: 'application/pdf' })
  expect(await messageWith(file, '', 'wamid.1')).toEqual({
    type: 'document',
    data: btoa('%PDF-1.4'),
    mime_type: 'application/pdf',
    filename: 'menú.pdf',
    caption: null,
    reply_to: 'wamid.1',
  })
})
