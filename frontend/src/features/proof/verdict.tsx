import { Plural, useLingui } from '@lingui/react/macro'
import { CircleX, ShieldCheck } from 'lucide-react'
import type { Proof } from '@/api'
import { cn } from '@/lib/cn'
import { milliseconds } from '@/lib/format'
import { CopyButton } from '@/ui/copy-button'
import { DateTime } from '@/ui/date-time'

/** What a proof that was made just now says, and what it looked at. */
export function Verdict({ proof }: { proof: Proof }) {
  const { t } = useLingui()
  const { reading, invariants, ledger } = proof
  const held = invariants.filter((one) => one.violations === 0).length
  const Icon = proof.holds ? ShieldCheck : CircleX
  return (
    <section
      className={cn(
        'mb-5 flex gap-4 rounded-xl border p-4 md:p-5',
        proof.holds ? 'border-accent/40 bg-accent-soft' : 'border-danger/40 bg-danger-soft',
      )}
    >
      <Icon aria-hidden className={cn('size-8 shrink-0', proof.holds ? 'text-accent' : 'text-danger')} />
      <div className="min-w-0">
        <h2 className="font-semibold text-lg leading-tight">
          {proof.holds ? t`Demostrado: no falta ni sobra nada` : t`No cuadra: hay algo que mirar`}
        </h2>
        <p className="mt-0.5 text-sm">
          <DateTime at={proof.made_at} /> · {milliseconds(proof.milliseconds)}
        </p>
        <ul className="mt-2 list-disc space-y-0.5 pl-4 text-sm">
          <li>
            <Plural value={ledger.unexplained} one="# mensaje sin explicar" other="# mensajes sin explicar" />
          </li>
          <li>
            <Plural
              value={reading.webhooks}
              one="Se volvió a leer # aviso de WhatsApp"
              other="Se volvieron a leer # avisos de WhatsApp"
            />{' '}
            <Plural value={reading.messages} one="con # mensaje:" other="con # mensajes:" />{' '}
            <Plural value={reading.missing} one="falta #" other="faltan #" />
            {!reading.complete &&
              `. ${t`Había más de los que se leen de una vez: elige un periodo más corto.`}`}
          </li>
          <li>{t`${held} de ${invariants.length} reglas se cumplen`}</li>
        </ul>
        {reading.examples.length > 0 && (
          <p className="mt-2 flex flex-wrap items-center gap-1 text-sm">
            {t`Avisos con mensajes que faltan:`}
            {reading.examples.map((id) => (
              <span key={id} className="inline-flex items-center">
                <code className="break-all font-mono text-xs">{id}</code>
                <CopyButton text={id} />
              </span>
            ))}
          </p>
        )}
      </div>
    </section>
  )
}
