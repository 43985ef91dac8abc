import { useLingui } from '@lingui/react/macro'
import { ArrowDown, ArrowUp, Plus, Trash2 } from 'lucide-react'
import { useId, useState } from 'react'
import type { Fact } from '@/api'
import { Button, IconButton } from '@/ui/button'
import { Input, Textarea } from '@/ui/field'
import { Section } from '@/ui/page'
import type { PartProps } from './part'

const MOST = 200

/** Questions of customers, with the answers of the business. */
export function Facts({ profile, change, readOnly }: PartProps) {
  const { t } = useLingui()
  const list = useId()
  const { facts } = profile
  const [ids, setIds] = useIds(facts.length)
  const set = (next: Fact[], nextIds: number[]) => {
    setIds(nextIds)
    change({ facts: next })
  }
  const replace = (place: number, part: Partial<Fact>) =>
    change({ facts: facts.map((fact, at) => (at === place ? { ...fact, ...part } : fact)) })
  const move = (from: number, to: number) => set(moved(facts, from, to), moved(ids, from, to))
  const remove = (place: number) =>
    set(
      facts.filter((_, at) => at !== place),
      ids.filter((_, at) => at !== place),
    )
  const add = () => {
    set([...facts, { heading: '', text: '' }], [...ids, Math.max(-1, ...ids) + 1])
    // The new row is there after this render.
    requestAnimationFrame(() =>
      document.getElementById(list)?.querySelector<HTMLInputElement>('li:last-child input')?.focus(),
    )
  }
  return (
    <Section
      title={t`Lo que sabe`}
      description={t`Preguntas de los clientes y tu respuesta, con tus palabras. De lo que no está aquí no inventa nada.`}
    >
      <ol id={list} className="flex flex-col gap-3">
        {facts.map((fact, place) => (
          <li
            key={ids[place]}
            aria-label={fact.heading || t`Dato ${place + 1}`}
            className="flex items-start gap-2 rounded-lg border border-line p-2.5"
          >
            <div className="min-w-0 flex-1 space-y-2">
              <Input
                aria-label={t`Pregunta ${place + 1}`}
                placeholder={t`¿Hacen envíos?`}
                maxLength={200}
                value={fact.heading}
                aria-invalid={fact.heading.trim() === '' || undefined}
                onChange={(event) => replace(place, { heading: event.target.value })}
                className="font-medium"
              />
              <Textarea
                aria-label={t`Respuesta ${place + 1}`}
                placeholder={t`Sí, en toda la ciudad, en 24 horas.`}
                rows={2}
                maxLength={2000}
                value={fact.text}
                aria-invalid={fact.text.trim() === '' || undefined}
                onChange={(event) => replace(place, { text: event.target.value })}
                className="field-sizing-content"
              />
            </div>
            {!readOnly && (
              <div className="flex flex-col">
                <IconButton label={t`Subir`} disabled={place === 0} onClick={() => move(place, place - 1)}>
                  <ArrowUp aria-hidden />
                </IconButton>
                <IconButton
                  label={t`Bajar`}
                  disabled={place === facts.length - 1}
                  onClick={() => move(place, place + 1)}
                >
                  <ArrowDown aria-hidden />
                </IconButton>
                <IconButton label={t`Quitar`} onClick={() => remove(place)}>
                  <Trash2 aria-hidden />
                </IconButton>
              </div>
            )}
          </li>
        ))}
      </ol>
      {!readOnly && (
        <Button className="not-first:mt-3" disabled={facts.length >= MOST} onClick={add}>
          <Plus aria-hidden />
          {t`Añadir un dato`}
        </Button>
      )}
    </Section>
  )
}

/** A number for each row that stays with it when rows move; made anew when the rows come from elsewhere. */
function useIds(count: number) {
  const [ids, setIds] = useState<number[]>([])
  const known = ids.length === count ? ids : Array.from({ length: count }, (_, at) => at)
  return [known, setIds] as const
}

function moved<Item>(items: readonly Item[], from: number, to: number): Item[] {
  const rest = items.filter((_, at) => at !== from)
  return [...rest.slice(0, to), ...items.slice(from, from + 1), ...rest.slice(to)]
}
