import { useLingui } from '@lingui/react/macro'
import { CalendarPlus, Trash2 } from 'lucide-react'
import type { DatedHours } from '@/api'
import { Button, IconButton } from '@/ui/button'
import { Input } from '@/ui/field'
import { Intervals } from './hours-section'

type ExceptionsProps = {
  exceptions: readonly DatedHours[]
  onChange: (exceptions: DatedHours[]) => void
  readOnly: boolean
}

/** Dates with other hours: holidays, inventories. */
export function Exceptions({ exceptions, onChange, readOnly }: ExceptionsProps) {
  const { t } = useLingui()
  const replace = (place: number, part: Partial<DatedHours>) =>
    onChange(exceptions.map((one, at) => (at === place ? { ...one, ...part } : one)))
  const isTwice = (on: string) => on !== '' && exceptions.filter((one) => one.on === on).length > 1
  return (
    <div>
      <h3 className="mb-1.5 font-medium text-[0.85rem]">{t`Fechas especiales`}</h3>
      {exceptions.length > 0 && (
        <ul className="mb-2 divide-y divide-line rounded-lg border border-line">
          {exceptions.map((exception, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a date is typed here, so nothing tells rows apart yet
            <li key={place} className="flex flex-wrap items-start gap-x-3 gap-y-1.5 px-3 py-2">
              <Input
                type="date"
                aria-label={t`Fecha especial ${place + 1}`}
                value={exception.on}
                aria-invalid={exception.on === '' || isTwice(exception.on) || undefined}
                onChange={(event) => replace(place, { on: event.target.value })}
                className="h-8 w-38"
              />
              <Input
                aria-label={t`Motivo de la fecha ${place + 1}`}
                placeholder={t`Feriado`}
                maxLength={100}
                value={exception.name}
                onChange={(event) => replace(place, { name: event.target.value })}
                className="h-8 w-40"
              />
              <div className="min-w-48 flex-1">
                <Intervals
                  name={exception.name || exception.on || t`Fecha especial ${place + 1}`}
                  intervals={exception.intervals}
                  onChange={(intervals) => replace(place, { intervals })}
                  readOnly={readOnly}
                />
                {isTwice(exception.on) && (
                  <p role="alert" className="font-medium text-danger text-xs">
                    {t`Esta fecha está dos veces.`}
                  </p>
                )}
              </div>
              {!readOnly && (
                <IconButton
                  label={t`Quitar la fecha ${exception.on}`}
                  onClick={() => onChange(exceptions.filter((_, at) => at !== place))}
                >
                  <Trash2 aria-hidden />
                </IconButton>
              )}
            </li>
          ))}
        </ul>
      )}
      {!readOnly && (
        <Button size="sm" onClick={() => onChange([...exceptions, { on: '', name: '', intervals: [] }])}>
          <CalendarPlus aria-hidden />
          {t`Añadir una fecha`}
        </Button>
      )}
    </div>
  )
}
