import { Plural, Trans, useLingui } from '@lingui/react/macro'
import { useSuspenseQuery } from '@tanstack/react-query'
import { CircleCheck, CircleX, Inbox } from 'lucide-react'
import type { Ledger, LedgerLine } from '@/api'
import { proofProofOptions } from '@/api/@tanstack/react-query.gen'
import { cn } from '@/lib/cn'
import { number } from '@/lib/format'
import { DateTime } from '@/ui/date-time'
import { EmptyState } from '@/ui/empty-state'
import { Section } from '@/ui/page'
import { Examples } from './examples'
import { FATES, reasonOf } from './words'

type Fate = LedgerLine['fate']

const ORDER: readonly Fate[] = ['answered', 'by_person', 'ignored', 'failed', 'pending', 'unexplained']

const COLOURS: Record<Fate, string> = {
  answered: 'bg-bot',
  by_person: 'bg-person',
  ignored: 'bg-line-strong',
  failed: 'bg-warn-strong',
  pending: 'bg-info',
  unexplained: 'bg-danger',
}

/** The count of a time that the server makes from its rows. */
export function Counted({ span }: { span: { since: string; until: string } }) {
  const { data } = useSuspenseQuery(proofProofOptions({ query: span }))
  return <LedgerSheet ledger={data} />
}

/** In = answered + by a person + ignored + failed + pending, and whatever is left over, which must be nothing. */
export function LedgerSheet({ ledger }: { ledger: Ledger }) {
  const { t } = useLingui()
  return (
    <Section
      title={t`Las cuentas`}
      description={
        <Trans>
          Del <DateTime at={ledger.since} /> al <DateTime at={ledger.until} />
        </Trans>
      }
    >
      {ledger.received === 0 ? (
        <EmptyState icon={<Inbox aria-hidden />} title={t`En este tiempo no escribió nadie`}>
          {t`Elige otro periodo, o escríbele a tu asistente desde el teléfono de pruebas y vuelve aquí.`}
        </EmptyState>
      ) : (
        <>
          <Sum ledger={ledger} />
          <Bar ledger={ledger} />
          <ul className="mt-4 divide-y divide-line">
            {ORDER.map((fate) => (
              <FateRow key={fate} fate={fate} ledger={ledger} />
            ))}
          </ul>
          <Webhooks ledger={ledger} />
        </>
      )}
    </Section>
  )
}

/** The equation, and the number that must be 0 beside it. */
function Sum({ ledger }: { ledger: Ledger }) {
  const { t, i18n } = useLingui()
  const isWhole = ledger.unexplained === 0
  const Icon = isWhole ? CircleCheck : CircleX
  return (
    <div className="grid items-center gap-x-8 gap-y-4 md:grid-cols-[auto_1fr]">
      <div
        data-testid="unexplained"
        className={cn(
          'flex items-center gap-4 rounded-xl px-5 py-4',
          isWhole ? 'bg-accent-soft text-accent' : 'bg-danger-soft text-danger',
        )}
      >
        <Icon aria-hidden className="size-8 shrink-0" />
        <p>
          <span className="tabular block font-semibold text-4xl leading-none">
            {number(ledger.unexplained)}
          </span>
          <span className="font-medium">{i18n._(FATES.unexplained)}</span>
        </p>
      </div>
      <p className="tabular flex flex-wrap items-baseline gap-x-2 gap-y-1 text-muted">
        <strong className="font-semibold text-2xl text-ink">{number(ledger.received)}</strong>
        <Plural value={ledger.received} one="recibido" other="recibidos" />
        {ORDER.map((fate, index) => (
          <span key={fate} className="whitespace-nowrap">
            {index === 0 ? '=' : '+'}{' '}
            <strong className="font-semibold text-ink">{number(ledger[fate])}</strong> {short(fate)}
          </span>
        ))}
      </p>
    </div>
  )

  function short(fate: Fate): string {
    return {
      answered: t`respondidos`,
      by_person: t`por personas`,
      ignored: t`con motivo`,
      failed: t`fallidos`,
      pending: t`en curso`,
      unexplained: t`sin explicar`,
    }[fate]
  }
}

/** The same numbers as lengths; the list below says them in words. */
function Bar({ ledger }: { ledger: Ledger }) {
  return (
    <div aria-hidden className="mt-4 flex h-3 gap-0.5 overflow-hidden rounded-full bg-sunken">
      {ORDER.filter((fate) => ledger[fate] > 0).map((fate) => (
        <div
          key={fate}
          className={cn('min-w-1 rounded-xs', COLOURS[fate])}
          style={{ flexGrow: ledger[fate], flexBasis: 0 }}
        />
      ))}
    </div>
  )
}

function FateRow({ fate, ledger }: { fate: Fate; ledger: Ledger }) {
  const { i18n } = useLingui()
  const lines = ledger.lines.filter((line) => line.fate === fate)
  const count = ledger[fate]
  return (
    <li className="py-2.5">
      <div className="flex items-center gap-3">
        <span aria-hidden className={cn('size-3 shrink-0 rounded-full', COLOURS[fate])} />
        <span className="min-w-0 flex-1">{i18n._(FATES[fate])}</span>
        <span className="tabular font-semibold">{number(count)}</span>
        <span className="tabular w-14 text-right text-muted text-sm">
          {number(count / ledger.received, { style: 'percent', maximumFractionDigits: 1 })}
        </span>
      </div>
      {lines.length > 0 && (
        <ul className="mt-1 space-y-1 pl-6">
          {lines.map((line) => (
            <Line key={line.reason ?? ''} line={line} />
          ))}
        </ul>
      )}
    </li>
  )
}

function Line({ line }: { line: LedgerLine }) {
  const { i18n } = useLingui()
  const reason = line.reason === null ? null : reasonOf(line.reason)
  return (
    <li className="text-muted text-sm">
      <div className="flex items-baseline gap-3">
        <span className="min-w-0 flex-1">
          {typeof reason === 'string' ? <span lang="en">{reason}</span> : reason && i18n._(reason)}
        </span>
        {reason && <span className="tabular">{number(line.count)}</span>}
        {reason && <span className="w-14" />}
      </div>
      <Examples examples={line.examples} />
    </li>
  )
}

/** The envelopes in which the messages came. */
function Webhooks({ ledger }: { ledger: Ledger }) {
  const { t } = useLingui()
  const { received, read, pending, dead } = ledger.webhooks
  return (
    <p className="mt-3 border-line border-t pt-3 text-muted text-sm">
      {t`Avisos de WhatsApp: ${number(received)} recibidos, ${number(read)} leídos, ${number(pending)} en cola, ${number(dead)} apartados.`}
    </p>
  )
}
