import type { BusinessProfile } from '@/api'
import { areSound } from './hours'

/** Whether a profile has all that the server asks for. */
export function isComplete({ name, disclosure, facts, hours }: BusinessProfile): boolean {
  const texts = [name, disclosure, ...facts.flatMap(({ heading, text }) => [heading, text])]
  return texts.every((text) => text.trim() !== '') && areSound(hours)
}
