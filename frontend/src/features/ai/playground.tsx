import { Trans, useLingui } from '@lingui/react/macro'
import { useSuspenseQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { Play, Plus } from 'lucide-react'
import { Suspense, useState } from 'react'
import type { ProviderRoute } from '@/api'
import { providersRoutesOptions } from '@/api/@tanstack/react-query.gen'
import { cn } from '@/lib/cn'
import { Button } from '@/ui/button'
import { Pane } from '@/ui/error-pane'
import { Field, Textarea } from '@/ui/field'
import { useShortcut } from '@/ui/keys'
import { Page } from '@/ui/page'
import { SkeletonRows } from '@/ui/skeleton'
import { PlaygroundColumn } from './playground-column'
import { best, useTrials } from './trials'

const MOST = 4
const LONGEST = 4000

/** One question to several models beside each other, with the instructions that customers' questions get. */
export function Playground() {
  const { t } = useLingui()
  return (
    <Page
      wide
      title={t`Comparar modelos`}
      description={t`Haz una pregunta como si fueras un cliente. Responden con la ficha de tu negocio tal como está; no se le envía nada a nadie.`}
    >
      <Pane>
        <Suspense fallback={<SkeletonRows />}>
          <Bench />
        </Suspense>
      </Pane>
    </Page>
  )
}

function Bench() {
  const { t } = useLingui()
  const { data } = useSuspenseQuery(providersRoutesOptions())
  const { chosen, free, choose } = useChosen(data.routes)
  const [question, setQuestion] = useState('')
  const trials = useTrials()
  const asking = trials.all.some((trial) => trial.state === 'asking')
  const winners = best(
    chosen.flatMap((id) => {
      const trial = trials.of(id)
      return trial?.state === 'told' ? [trial.answer] : []
    }),
  )
  const askAll = () => {
    if (question.trim() === '') return
    for (const id of chosen) trials.ask(id, question)
  }
  useShortcut({ keys: 'mod+Enter', label: t`Preguntar a todos`, group: t`Comparar modelos`, run: askAll })
  const samples = [t`¿A qué hora abren hoy?`, t`¿Cuánto cuesta y cómo puedo pagar?`, t`¿Eres una persona?`]

  return (
    <>
      <form
        className="mb-5 rounded-xl border border-line bg-surface p-4"
        onSubmit={(event) => {
          event.preventDefault()
          askAll()
        }}
      >
        <Field label={t`Pregunta de un cliente`}>
          <Textarea
            required
            rows={2}
            maxLength={LONGEST}
            value={question}
            onChange={(event) => setQuestion(event.target.value)}
          />
        </Field>
        <div className="mt-3 flex flex-wrap items-center gap-2">
          {samples.map((sample) => (
            <button
              key={sample}
              type="button"
              onClick={() => setQuestion(sample)}
              className="min-h-7 rounded-full border border-line px-3 py-0.5 text-muted text-sm hover:border-line-strong hover:text-ink max-md:min-h-11"
            >
              {sample}
            </button>
          ))}
          <Button type="submit" look="primary" busy={asking} className="ml-auto">
            {!asking && <Play aria-hidden />}
            {t`Preguntar a todos`}
          </Button>
        </div>
      </form>
      <div
        className={cn(
          'grid gap-4',
          {
            1: '',
            2: 'md:grid-cols-2',
            3: 'md:grid-cols-2 xl:grid-cols-3',
            4: 'md:grid-cols-2 xl:grid-cols-4',
          }[chosen.length],
        )}
      >
        {chosen.map((id, index) => (
          <PlaygroundColumn
            key={id}
            route={data.routes.find((route) => route.route_id === id)}
            choices={[id, ...free].flatMap((one) => data.routes.filter((route) => route.route_id === one))}
            trial={trials.of(id)}
            isFastest={winners.fastest === id}
            isCheapest={winners.cheapest === id}
            onChoose={(other) => choose(chosen.with(index, other))}
            onRemove={chosen.length > 1 ? () => choose(chosen.filter((one) => one !== id)) : undefined}
            onAsk={question.trim() === '' ? undefined : () => trials.ask(id, question)}
            onStop={() => trials.stop(id)}
          />
        ))}
      </div>
      <AddColumn
        free={free}
        isFull={chosen.length >= MOST}
        onAdd={(id) => choose([...chosen, id])}
        isOnlyOffline={data.routes.every((route) => route.origin === 'built_in')}
      />
    </>
  )
}

function AddColumn(props: {
  free: readonly string[]
  isFull: boolean
  isOnlyOffline: boolean
  onAdd: (id: string) => void
}) {
  const { t } = useLingui()
  const next = props.free[0]
  if (props.isOnlyOffline)
    return (
      <p className="mt-4 text-muted text-sm">
        <Trans>
          Todavía no hay ningún proveedor: responde el asistente sin modelo, con lo que dice la ficha del
          negocio. Añade proveedores en «Modelos de IA» para compararlos.
        </Trans>
      </p>
    )
  if (props.isFull || next === undefined) return null
  return (
    <Button className="mt-4" onClick={() => props.onAdd(next)}>
      <Plus aria-hidden />
      {t`Añadir otro modelo`}
    </Button>
  )
}

/** The models that stand beside each other are those of the address; without any, the first two of the list. */
function useChosen(routes: readonly ProviderRoute[]) {
  const { models } = useSearch({ from: '/_app/ai/playground' })
  const navigate = useNavigate({ from: '/ai/playground' })
  const ids = routes.map((route) => route.route_id)
  const wanted = (models ?? []).filter((id, index, all) => ids.includes(id) && all.indexOf(id) === index)
  const chosen = (wanted.length > 0 ? wanted : ids.slice(0, 2)).slice(0, MOST)
  return {
    chosen,
    free: ids.filter((id) => !chosen.includes(id)),
    choose: (next: string[]) => void navigate({ search: { models: next }, replace: true }),
  }
}
