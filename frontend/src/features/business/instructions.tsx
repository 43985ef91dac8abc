import { useLingui } from '@lingui/react/macro'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { type BusinessProfile, playgroundPreviewInstructions } from '@/api'
import { number } from '@/lib/format'
import { ErrorPane } from '@/ui/error-pane'
import { Section } from '@/ui/page'
import { Skeleton } from '@/ui/skeleton'
import { isComplete } from './complete'

const PAUSE_MS = 400

/** The text that models get, made from the draft as it is now. */
export function Instructions({ profile }: { profile: BusinessProfile }) {
  const { t } = useLingui()
  const draft = useSettled(profile)
  const isWhole = isComplete(draft)
  const { data, error, isFetching } = useQuery({
    queryKey: ['instructions', draft],
    queryFn: async ({ signal }) => (await playgroundPreviewInstructions({ body: draft, signal })).data,
    placeholderData: keepPreviousData,
    enabled: isWhole,
  })
  const tokens = data ? number(data.estimated_tokens) : ''
  return (
    <Section
      title={t`Lo que recibe el modelo`}
      description={
        !isWhole
          ? t`Hay algo sin completar; esto es lo último que estaba completo.`
          : data && t`Con cada mensaje, unos ${tokens} tokens. Se actualiza mientras escribes.`
      }
    >
      {data ? (
        <section
          aria-label={t`Texto de las instrucciones`}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
          tabIndex={0}
          aria-busy={isFetching}
          className="max-h-[calc(100dvh-11rem)] overflow-y-auto whitespace-pre-wrap rounded-lg bg-sunken p-3 font-mono text-[0.76rem] leading-relaxed [overflow-wrap:anywhere]"
        >
          {data.text}
        </section>
      ) : error ? (
        <ErrorPane error={error} />
      ) : (
        <Skeleton className="h-64" />
      )}
    </Section>
  )
}

/** The profile once nobody has typed for a moment. */
function useSettled(profile: BusinessProfile): BusinessProfile {
  const [settled, setSettled] = useState(profile)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(profile), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [profile])
  return settled
}
