/** A piece of a WhatsApp text: plain, marked (bold, italic, struck, code), a whole block of code, or a link. */
export type Piece =
  | { kind: 'text'; text: string }
  | { kind: 'bold' | 'italic' | 'strike'; pieces: Piece[] }
  | { kind: 'code' | 'block'; text: string }
  | { kind: 'link'; href: string; text: string }

const MARKS = { '*': 'bold', _: 'italic', '~': 'strike' } as const
// A mark counts at the edge of words only: `2*3*4` and `snake_case_name` are no marks.
const TOKEN =
  /```([\s\S]+?)```|`([^`\n]+)`|(?<![\p{L}\p{N}])([*_~])(?=\S)((?:(?!\3)[^\n])+?)(?<=\S)\3(?![\p{L}\p{N}])|(https?:\/\/[^\s<>"']+)/gu

/** Read WhatsApp's marks. The result holds every character that a person is meant to see, as text. */
export function readMarks(text: string, depth = 0): Piece[] {
  const pieces: Piece[] = []
  let from = 0
  for (const match of text.matchAll(TOKEN)) {
    if (match.index > from) pieces.push({ kind: 'text', text: text.slice(from, match.index) })
    pieces.push(...piece(match, depth))
    from = match.index + match[0].length
  }
  if (from < text.length) pieces.push({ kind: 'text', text: text.slice(from) })
  return pieces
}

function piece(match: RegExpExecArray, depth: number): Piece[] {
  const [whole, block, code, mark, marked, url] = match
  if (block !== undefined) return [{ kind: 'block', text: block }]
  if (code !== undefined) return [{ kind: 'code', text: code }]
  if (mark !== undefined && marked !== undefined && depth < 3) {
    return [{ kind: MARKS[mark as keyof typeof MARKS], pieces: readMarks(marked, depth + 1) }]
  }
  return url === undefined ? [{ kind: 'text', text: whole }] : link(url)
}

/** What ends a sentence is not part of the address, and the text shown is the true target (punycode and all). */
function link(found: string): Piece[] {
  const address = found.replace(/[.,;:!?)\]}»”*_~]+$/u, '')
  const rest: Piece[] =
    address.length < found.length ? [{ kind: 'text', text: found.slice(address.length) }] : []
  if (!URL.canParse(address)) return [{ kind: 'text', text: found }]
  const url = new URL(address)
  const isPlain = /^[\x21-\x7e]*$/.test(address.slice(0, address.indexOf(url.host) + url.host.length))
  return [{ kind: 'link', href: url.href, text: isPlain ? address : url.href }, ...rest]
}
