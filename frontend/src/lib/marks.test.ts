import { describe, expect, test } from 'vitest'
import { type Piece, readMarks } from './marks'

const visible = (pieces: Piece[]): string =>
  pieces.map((piece) => ('pieces' in piece ? visible(piece.pieces) : piece.text)).join('')

describe('readMarks', () => {
  test('bold, italic, struck and code are what stands between their marks', () => {
    expect(readMarks('*a* _b_ ~c~ `d`').map((piece) => piece.kind)).toEqual([
      'bold',
      'text',
      'italic',
      'text',
      'strike',
      'text',
      'code',
    ])
    expect(visible(readMarks('*a _b_* c'))).toBe('a b c')
  })

  test.each(['2*3*4', 'snake_case_name', '* not bold *', '**', '~', '*a\nb*'])('%s has no marks', (text) => {
    expect(readMarks(text)).toEqual([{ kind: 'text', text }])
  })

  test('a link ends before the sentence does, and shows where it really goes', () => {
    expect(readMarks('mira https://example.com/a?b=c. ')).toEqual([
      { kind: 'text', text: 'mira ' },
      { kind: 'link', href: 'https://example.com/a?b=c', text: 'https://example.com/a?b=c' },
      { kind: 'text', text: '.' },
      { kind: 'text', text: ' ' },
    ])
    expect(readMarks('https://аpple.com/')).toEqual([
      { kind: 'link', href: 'https://xn--pple-43d.com/', text: 'https://xn--pple-43d.com/' },
    ])
  })

  test.each(['javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd'])(
    '%s is never a link',
    (text) => {
      expect(readMarks(text).some((piece) => piece.kind === 'link')).toBe(false)
    },
  )

  test('markup is text like any other, and 4,000 characters without a space are read in no time', () => {
    expect(readMarks('<img src=x onerror=alert(1)>')).toEqual([
      { kind: 'text', text: '<img src=x onerror=alert(1)>' },
    ])
    for (const text of ['*_~'.repeat(1400), 'a'.repeat(4000), '*a'.repeat(2000), '`'.repeat(4000)]) {
      const started = performance.now()
      readMarks(text)
      expect(performance.now() - started).toBeLessThan(500)
    }
  })
})
