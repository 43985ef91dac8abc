import { useLingui } from '@lingui/react/macro'
import { ArrowRight, CircleCheck, PartyPopper } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Setup } from '@/api'
import { ProfileStart } from '@/features/business'
import { PhoneTrial } from '@/features/simulator'
import { dateTime } from '@/lib/format'
import { Button } from '@/ui/button'
import { Section } from '@/ui/page'
import { ChannelStep, ProviderStep, TeamStep } from './step-doors'
import { STEPS, type StepName, stepOf } from './steps'

type StepPanelProps = {
  setup: Setup
  name: StepName
  isLast: boolean
  busy: boolean
  onNext: () => void
  onSkip: () => void
  /** Something was done here: look whether the step is done. */
  onChanged: () => void
}

export function StepPanel({ setup, name, isLast, busy, onNext, onSkip, onChanged }: StepPanelProps) {
  const { t, i18n } = useLingui()
  const step = stepOf(setup, name)
  const isDone = step.state === 'done'
  const contents: Record<StepName, ReactNode> = {
    profile: (
      <ProfileStart
        onSaved={() => {
          onChanged()
          onNext()
        }}
      />
    ),
    provider: <ProviderStep onChanged={onChanged} />,
    channel: <ChannelStep onChanged={onChanged} />,
    team: <TeamStep onChanged={onChanged} />,
    test_message: (
      <div className="h-[min(44rem,calc(100dvh-16rem))] min-h-[30rem]">
        <PhoneTrial />
      </div>
    ),
  }
  return (
    <Section title={i18n._(STEPS[name].name)} description={i18n._(STEPS[name].why)}>
      {isDone && <Done name={name} detail={step.detail} />}
      {contents[name]}
      <div className="mt-5 flex flex-wrap justify-end gap-2 border-line border-t pt-4">
        {!isDone && !isLast && (
          <Button disabled={busy} onClick={onSkip}>
            {t`Omitir este paso`}
          </Button>
        )}
        {isLast ? (
          <Button look="primary" busy={busy} onClick={onNext}>
            <PartyPopper aria-hidden />
            {t`Terminar`}
          </Button>
        ) : (
          isDone && (
            <Button look="primary" disabled={busy} onClick={onNext}>
              {t`Siguiente`}
              <ArrowRight aria-hidden />
            </Button>
          )
        )}
      </div>
    </Section>
  )
}

/** What was found that makes the step done. */
function Done({ name, detail }: { name: StepName; detail: string | null }) {
  return (
    <p
      role="status"
      className="mb-4 flex items-center gap-2 rounded-lg bg-accent-soft px-3 py-2 font-medium text-accent text-sm"
    >
      <CircleCheck aria-hidden className="size-4.5 shrink-0" />
      <Fact name={name} detail={detail ?? ''} />
    </p>
  )
}

function Fact({ name, detail }: { name: StepName; detail: string }) {
  const { t } = useLingui()
  switch (name) {
    case 'profile':
      return t`Guardado como ${detail}`
    case 'provider':
      return t`Responde: ${detail}`
    case 'channel':
      return t`Conectado: ${detail}`
    case 'team':
      return t`Ya sois ${detail}`
    case 'test_message':
      return t`Respondió el ${dateTime(detail)}`
  }
}
