/** `Ana María López` is `AL`; a phone number or an emoji is its last two digits or a dot. */
export function initials(name: string): string {
  const words = name
    .split(/\s+/)
    .map((word) => [...word].find((letter) => /\p{L}/u.test(letter)))
    .filter(Boolean)
  if (words.length > 0) return `${words[0]}${words.length > 1 ? words.at(-1) : ''}`.toUpperCase()
  return name.replace(/\D/g, '').slice(-2) || '•'
}

/** A number below `count` that is always the same for `name`. */
export function tint(name: string, count: number): number {
  let sum = 7
  for (const letter of name) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973
  return sum % count
}

const BIDI_CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** A name that a stranger wrote, without the characters that turn the text around them about. */
export function plainName(name: string | null | undefined): string {
  return (name ?? '').replace(BIDI_CONTROLS, '').trim()
}
