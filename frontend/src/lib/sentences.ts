import type { MessageDescriptor } from '@lingui/core'

/** An English sentence of the server's, and how to say it; what the pattern captures is passed on. */
export type Sentence = [pattern: RegExp, say: (...captured: string[]) => MessageDescriptor]

/** Say a sentence of the server's in the person's language; null where it is none of those that are known. */
export function translated(text: string, sentences: readonly Sentence[]): MessageDescriptor | null {
  for (const [pattern, say] of sentences) {
    const found = pattern.exec(text)
    if (found && found[0].length === text.length) return say(...found.slice(1))
  }
  return null
}
