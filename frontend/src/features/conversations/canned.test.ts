import { expect, test } from 'vitest'
import type { CannedReply } from '@/api'
import { cannedMatches } from './canned'

const reply = (shortcut: string, title: string, uses: number): CannedReply => ({
  id: shortcut,
  shortcut,
  title,
  uses,
  text: 'x',
  created_at: '2026-11-28T12:00:00Z',
})

test('a slash finds replies by shortcut or title, whatever the accents, those used most first', () => {
  const all = [
    reply('gracias', 'Despedida', 1),
    reply('horario', 'Cuándo abrimos', 9),
    reply('graficos', 'Otro', 5),
  ]
  expect(cannedMatches(all, 'gra').map((one) => one.shortcut)).toEqual(['graficos', 'gracias'])
  expect(cannedMatches(all, 'cuando').map((one) => one.shortcut)).toEqual(['horario'])
  expect(cannedMatches(all, '')).toHaveLength(3)
})
