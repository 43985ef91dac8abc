import { useLingui } from '@lingui/react/macro'
import { cn } from '@/lib/cn'
import { dayKey } from '@/lib/format'
import { Input } from '@/ui/field'
import { type Chosen, LONGEST_DAYS, PERIODS, type Period, spanOf } from './period'

type PickerProps = { chosen: Chosen; onChange: (chosen: Chosen) => void }

/** Which time to look at: until now, or between two days. */
export function PeriodPicker({ chosen, onChange }: PickerProps) {
  const { t } = useLingui()
  const names: Record<Period, string> = {
    day: t`24 horas`,
    week: t`7 días`,
    month: t`30 días`,
    custom: t`Entre dos días`,
  }
  const pick = (period: Period) => {
    if (period !== 'custom') return onChange({ period })
    const today = dayKey(new Date())
    onChange({ period, from: today, to: today })
  }
  return (
    <div className="mb-4 flex flex-wrap items-center gap-3">
      <fieldset className="flex flex-wrap gap-0.5 rounded-lg border border-line bg-surface p-0.5">
        <legend className="sr-only">{t`Periodo`}</legend>
        {PERIODS.map((period) => (
          <label key={period}>
            <input
              type="radio"
              name="period"
              className="peer sr-only"
              checked={chosen.period === period}
              onChange={() => pick(period)}
            />
            <span
              className={cn(
                'inline-flex h-8 cursor-pointer items-center rounded-md px-3 text-[0.87rem] text-muted hover:text-ink max-md:h-10',
                'peer-checked:bg-accent peer-checked:font-medium peer-checked:text-on-accent',
                'peer-focus-visible:outline-2 peer-focus-visible:outline-accent peer-focus-visible:outline-offset-1',
              )}
            >
              {names[period]}
            </span>
          </label>
        ))}
      </fieldset>
      {chosen.period === 'custom' && <Days chosen={chosen} onChange={onChange} />}
    </div>
  )
}

function Days({ chosen, onChange }: PickerProps) {
  const { t } = useLingui()
  const isWrong = spanOf(chosen, new Date()) === null
  return (
    <div className="flex flex-wrap items-center gap-2">
      <Input
        type="date"
        aria-label={t`Primer día`}
        aria-invalid={isWrong || undefined}
        className="w-40"
        value={chosen.from}
        max={dayKey(new Date())}
        onChange={(event) => event.target.value && onChange({ ...chosen, from: event.target.value })}
      />
      <span aria-hidden className="text-muted">
        –
      </span>
      <Input
        type="date"
        aria-label={t`Último día`}
        aria-invalid={isWrong || undefined}
        className="w-40"
        value={chosen.to}
        max={dayKey(new Date())}
        onChange={(event) => event.target.value && onChange({ ...chosen, to: event.target.value })}
      />
      {isWrong && (
        <p role="alert" className="text-danger text-sm">
          {t`Como mucho ${LONGEST_DAYS} días, y el primero antes que el último.`}
        </p>
      )}
    </div>
  )
}
