import type { MessageDescriptor } from '@lingui/core'
import { msg } from '@lingui/core/macro'
import { useLingui } from '@lingui/react/macro'
import { useSuspenseQuery } from '@tanstack/react-query'
import { CircleCheck, CircleX, type LucideIcon, RotateCw, TriangleAlert } from 'lucide-react'
import type { Diagnosis } from '@/api'
import { proofDoctorOptions } from '@/api/@tanstack/react-query.gen'
import { cn } from '@/lib/cn'
import { Button } from '@/ui/button'
import { DateTime } from '@/ui/date-time'
import { Section } from '@/ui/page'
import { checkName, foundIn, remedyIn } from './doctor-words'

type Check = Diagnosis['checks'][number]
type Status = Check['status']

const LOOKS: Record<Status, { label: MessageDescriptor; icon: LucideIcon; ink: string }> = {
  ok: { label: msg`Bien`, icon: CircleCheck, ink: 'text-accent' },
  warning: { label: msg`Conviene mirarlo`, icon: TriangleAlert, ink: 'text-warn' },
  broken: { label: msg`Roto`, icon: CircleX, ink: 'text-danger' },
}

/** What is wrong with this installation and what to do, the worst first. It really asks WhatsApp and the models. */
export function Doctor() {
  const { t } = useLingui()
  const { data, refetch, isFetching } = useSuspenseQuery({
    ...proofDoctorOptions(),
    staleTime: Number.POSITIVE_INFINITY, // it costs model calls: only when somebody asks
  })
  const verdict = {
    ok: t`Todo está en orden`,
    warning: t`Hay algo que conviene mirar`,
    broken: t`Hay algo roto`,
  }[data.status]
  return (
    <Section
      title={verdict}
      description={
        <>
          {t`Examinado`} <DateTime at={data.checked_at} look="relative" />.{' '}
          {t`Le pregunta de verdad a WhatsApp y a los modelos, así que tarda unos segundos.`}
        </>
      }
      actions={
        <Button busy={isFetching} onClick={() => void refetch()}>
          {!isFetching && <RotateCw aria-hidden />}
          {t`Examinar otra vez`}
        </Button>
      }
    >
      <ul className="divide-y divide-line">
        {data.checks.map((check) => (
          <CheckRow key={check.name + check.found} check={check} />
        ))}
      </ul>
    </Section>
  )
}

function CheckRow({ check }: { check: Check }) {
  const { t, i18n } = useLingui()
  const { label, icon: Icon, ink } = LOOKS[check.status]
  return (
    <li className="flex gap-3 py-3">
      <Icon role="img" aria-label={i18n._(label)} className={cn('mt-0.5 size-5 shrink-0', ink)} />
      <div className="min-w-0 [overflow-wrap:anywhere]">
        <p className="font-medium">{i18n._(checkName(check.name))}</p>
        <p className="text-muted text-sm">
          <Words text={check.found} known={foundIn(check.found)} />
        </p>
        {check.remedy && (
          <p className="mt-1 text-sm">
            <span className="font-medium">{t`Qué hacer:`}</span>{' '}
            <Words text={check.remedy} known={remedyIn(check.remedy)} />
          </p>
        )}
      </div>
    </li>
  )
}

function Words({ text, known }: { text: string; known: MessageDescriptor | null }) {
  const { i18n } = useLingui()
  return known ? i18n._(known) : <span lang="en">{text}</span>
}
