import { Plural, useLingui } from '@lingui/react/macro'
import { useSuspenseQuery } from '@tanstack/react-query'
import { CircleCheck, CircleDashed, CircleX } from 'lucide-react'
import type { Invariant } from '@/api'
import { proofInvariantsOptions } from '@/api/@tanstack/react-query.gen'
import { CopyButton } from '@/ui/copy-button'
import { DateTime } from '@/ui/date-time'
import { Section } from '@/ui/page'
import { invariantOf } from './words'

const FRESH_MS = 30_000

/** What must always be true here, and when that was looked at last. */
export function Invariants() {
  const { t } = useLingui()
  const { data } = useSuspenseQuery({ ...proofInvariantsOptions(), refetchInterval: FRESH_MS })
  return (
    <Section
      title={t`Reglas que siempre se cumplen`}
      description={t`El servidor las comprueba solo cada cinco minutos, y todas ahora con el botón de arriba.`}
    >
      <ul className="divide-y divide-line">
        {data.items.map((one) => (
          <InvariantRow key={one.name} one={one} />
        ))}
      </ul>
    </Section>
  )
}

function InvariantRow({ one }: { one: Invariant }) {
  const { t, i18n } = useLingui()
  const words = invariantOf(one.name)
  return (
    <li className="flex items-start gap-3 py-2.5">
      <Mark one={one} />
      <div className="min-w-0 flex-1">
        <p className="text-sm">{words ? i18n._(words) : <span lang="en">{one.about}</span>}</p>
        {one.violations > 0 && (
          <>
            <p className="font-medium text-danger text-sm">
              <Plural value={one.violations} one="# caso no la cumple" other="# casos no la cumplen" />
              {one.violated_since && (
                <>
                  {' · '}
                  {t`desde`} <DateTime at={one.violated_since} look="relative" />
                </>
              )}
            </p>
            <ul className="text-muted text-xs">
              {one.examples.map((id) => (
                <li key={id} className="flex items-center gap-1">
                  <code className="break-all font-mono">{id}</code>
                  <CopyButton text={id} />
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
      <span className="shrink-0 text-right text-muted text-xs">
        {one.checked_at ? <DateTime at={one.checked_at} look="relative" /> : t`aún no`}
      </span>
    </li>
  )
}

function Mark({ one }: { one: Invariant }) {
  const { t } = useLingui()
  if (one.violations > 0)
    return <CircleX role="img" aria-label={t`No se cumple`} className="mt-px size-4.5 shrink-0 text-danger" />
  if (one.checked_at === null)
    return (
      <CircleDashed role="img" aria-label={t`Sin comprobar`} className="mt-px size-4.5 shrink-0 text-muted" />
    )
  return <CircleCheck role="img" aria-label={t`Se cumple`} className="mt-px size-4.5 shrink-0 text-accent" />
}
