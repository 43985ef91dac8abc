import { useLingui } from '@lingui/react/macro'
import { Check, Minus } from 'lucide-react'
import type { Setup } from '@/api'
import { cn } from '@/lib/cn'
import { STEP_ORDER, STEPS, type StepName, stepOf } from './steps'

type StepListProps = { setup: Setup; current: StepName; onChoose: (step: StepName) => void }

export function StepList({ setup, current, onChoose }: StepListProps) {
  const { t, i18n } = useLingui()
  const words = { done: t`Hecho`, todo: t`Por hacer`, skipped: t`Omitido` }
  return (
    <nav aria-label={t`Pasos`}>
      <ol className="flex gap-1 max-md:justify-between md:flex-col">
        {STEP_ORDER.map((name, place) => {
          const { state } = stepOf(setup, name)
          const isCurrent = name === current
          return (
            <li key={name} className="max-md:min-w-0 max-md:flex-1">
              <button
                type="button"
                aria-current={isCurrent ? 'step' : undefined}
                onClick={() => onChoose(name)}
                className={cn(
                  'flex w-full items-center gap-3 rounded-lg px-3 py-2.5 text-left hover:bg-sunken max-md:flex-col max-md:gap-1 max-md:px-0.5 max-md:text-center',
                  isCurrent && 'bg-surface shadow-[inset_0_0_0_1px_var(--line)]',
                )}
              >
                <span
                  className={cn(
                    'grid size-7 shrink-0 place-items-center rounded-full border border-line-strong font-semibold text-[0.8rem] [&_svg]:size-4',
                    state === 'done' && 'border-accent bg-accent text-on-accent',
                    state === 'skipped' && 'border-dashed text-muted',
                    isCurrent && state === 'todo' && 'border-accent text-accent',
                  )}
                >
                  {state === 'done' ? (
                    <Check aria-hidden />
                  ) : state === 'skipped' ? (
                    <Minus aria-hidden />
                  ) : (
                    place + 1
                  )}
                </span>
                <span className="min-w-0 max-md:w-full">
                  <span
                    className={cn(
                      'block truncate text-sm max-md:text-[0.7rem]',
                      isCurrent && 'font-semibold',
                    )}
                  >
                    {i18n._(STEPS[name].name)}
                  </span>
                  <span className="block text-muted text-xs max-md:sr-only">{words[state]}</span>
                </span>
              </button>
            </li>
          )
        })}
      </ol>
    </nav>
  )
}
