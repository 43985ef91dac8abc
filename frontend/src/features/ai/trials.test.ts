import { expect, test } from 'vitest'
import type { TriedAnswer } from '@/api'
import { best } from './trials'

const told = (
  route_id: string,
  milliseconds: number,
  cost_usd: string | null,
  text: string | null = 'Hola',
) =>
  ({
    route_id,
    provider: 'openai',
    model: route_id,
    text,
    milliseconds,
    input_tokens: 10,
    output_tokens: 5,
    cost_usd,
    error_kind: null,
    error_message: '',
  }) satisfies TriedAnswer

test('the fastest and the cheapest are named among those that answered', () => {
  expect(best([told('a', 900, '0.0004'), told('b', 400, '0.002'), told('c', 5, '0', null)])).toEqual({
    fastest: 'b',
    cheapest: 'a',
  })
})

test('one alone, a tie and an unknown price win nothing', () => {
  expect(best([told('a', 400, '0.1')])).toEqual({ fastest: null, cheapest: null })
  expect(best([told('a', 400, '0.1'), told('b', 400, null)])).toEqual({ fastest: null, cheapest: null })
})
