import { useLingui } from '@lingui/react/macro'
import { CopyPlus, Plus, X } from 'lucide-react'
import { useMemo, useState } from 'react'
import type { Hours, Interval } from '@/api'
import { Button, IconButton } from '@/ui/button'
import { Combobox } from '@/ui/combobox'
import { Field, Input, Textarea } from '@/ui/field'
import { Section } from '@/ui/page'
import { Switch } from '@/ui/switch'
import { Exceptions } from './exceptions'
import {
  DAYS,
  type Day,
  endsNextDay,
  nextInterval,
  problemOf,
  readTime,
  timeZones,
  usualHours,
} from './hours'
import type { PartProps } from './part'
import { DAY_NAMES, INTERVAL_PROBLEMS } from './words'

const MOST_INTERVALS = 6

/** When the business is open, and what is said when it is not. */
export function HoursSection({ profile, change, readOnly }: PartProps) {
  const { t } = useLingui()
  const { hours } = profile
  return (
    <Section
      title={t`Horario`}
      description={t`Fuera de él el asistente dice tu mensaje en vez de responder.`}
    >
      <Switch
        checked={hours !== null}
        disabled={readOnly}
        onChange={(has) => change({ hours: has ? usualHours() : null })}
        label={t`Tiene un horario`}
        hint={t`Sin él cuenta como siempre abierto.`}
      />
      {hours && (
        <div className="mt-4 flex flex-col gap-5">
          <TimeZone hours={hours} onChange={(time_zone) => change({ hours: { ...hours, time_zone } })} />
          <Week hours={hours} onChange={(next) => change({ hours: next })} readOnly={readOnly} />
          <Exceptions
            exceptions={hours.exceptions}
            readOnly={readOnly}
            onChange={(exceptions) => change({ hours: { ...hours, exceptions } })}
          />
          <Field label={t`Mensaje fuera de horario`} hint={t`Si lo dejas vacío, se responde a toda hora.`}>
            <Textarea
              rows={2}
              maxLength={1000}
              value={profile.outside_hours_message}
              onChange={(event) => change({ outside_hours_message: event.target.value })}
            />
          </Field>
        </div>
      )}
    </Section>
  )
}

function TimeZone({ hours, onChange }: { hours: Hours; onChange: (zone: string) => void }) {
  const { t } = useLingui()
  const options = useMemo(
    () =>
      [...new Set([hours.time_zone, ...timeZones()])].map((zone) => ({
        value: zone,
        label: zone.replaceAll('_', ' '),
      })),
    [hours.time_zone],
  )
  return (
    <Field
      className="max-w-96"
      label={t`Zona horaria`}
      hint={t`La del negocio: rige el horario y las horas que ves en el panel.`}
    >
      <Combobox
        value={hours.time_zone}
        options={options}
        empty={t`No hay ninguna así`}
        onChange={(zone) => zone && onChange(zone)}
      />
    </Field>
  )
}

type WeekProps = { hours: Hours; onChange: (hours: Hours) => void; readOnly: boolean }

function Week({ hours, onChange, readOnly }: WeekProps) {
  const { t, i18n } = useLingui()
  const set = (day: Day, intervals: Interval[]) =>
    onChange({ ...hours, weekly: { ...hours.weekly, [day]: intervals } })
  const copyToAll = (day: Day) =>
    onChange({
      ...hours,
      weekly: Object.fromEntries(DAYS.map((one) => [one, hours.weekly[day]])) as Hours['weekly'],
    })
  return (
    <ul aria-label={t`Semana`} className="divide-y divide-line rounded-lg border border-line">
      {DAYS.map((day) => {
        const name = i18n._(DAY_NAMES[day])
        return (
          <li key={day} className="flex items-start gap-x-3 gap-y-1 px-3 py-2 max-md:flex-wrap">
            <span className="w-24 shrink-0 pt-1.5 font-medium text-sm max-md:w-full">{name}</span>
            <div className="min-w-0 flex-1">
              <Intervals
                name={name}
                intervals={hours.weekly[day]}
                onChange={(intervals) => set(day, intervals)}
                readOnly={readOnly}
              />
            </div>
            {!readOnly && (
              <IconButton label={t`Copiar ${name} a todos los días`} onClick={() => copyToAll(day)}>
                <CopyPlus aria-hidden />
              </IconButton>
            )}
          </li>
        )
      })}
    </ul>
  )
}

type IntervalsProps = {
  /** Whose hours these are: a day or a date. */
  name: string
  intervals: readonly Interval[]
  onChange: (intervals: Interval[]) => void
  readOnly: boolean
}

/** The open hours of one day. None is closed. */
export function Intervals({ name, intervals, onChange, readOnly }: IntervalsProps) {
  const { t, i18n } = useLingui()
  const problem = problemOf(intervals)
  const replace = (place: number, part: Partial<Interval>) =>
    onChange(intervals.map((one, at) => (at === place ? { ...one, ...part } : one)))
  return (
    <div>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
        {intervals.length === 0 && <span className="py-1.5 text-muted text-sm">{t`Cerrado`}</span>}
        {intervals.map((interval, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: an interval has nothing else that tells it from another
          <span key={place} className="flex items-center gap-1.5">
            <Time
              label={t`${name}: abre`}
              value={interval.opens}
              onChange={(opens) => replace(place, { opens })}
            />
            <span aria-hidden>–</span>
            <Time
              label={t`${name}: cierra`}
              value={interval.closes}
              onChange={(closes) => replace(place, { closes })}
            />
            {endsNextDay(interval) && <span className="text-muted text-xs">{t`del día siguiente`}</span>}
            {!readOnly && (
              <IconButton
                label={t`Quitar ${interval.opens}–${interval.closes}`}
                onClick={() => onChange(intervals.filter((_, at) => at !== place))}
              >
                <X aria-hidden />
              </IconButton>
            )}
          </span>
        ))}
        {!readOnly && intervals.length < MOST_INTERVALS && (
          <Button
            look="quiet"
            size="sm"
            aria-label={intervals.length === 0 ? t`Abrir: ${name}` : t`Otro tramo: ${name}`}
            onClick={() => onChange([...intervals, nextInterval(intervals)])}
          >
            <Plus aria-hidden />
            {intervals.length === 0 ? t`Abrir` : t`Otro tramo`}
          </Button>
        )}
      </div>
      {problem && (
        <p role="alert" className="mt-1 font-medium text-danger text-xs">
          {i18n._(INTERVAL_PROBLEMS[problem])}
        </p>
      )}
    </div>
  )
}

/** A time of day, typed as one likes: `9`, `9:30`, `930`. */
function Time({
  label,
  value,
  onChange,
}: {
  label: string
  value: string
  onChange: (time: string) => void
}) {
  const [typed, setTyped] = useState<string | null>(null)
  return (
    <Input
      aria-label={label}
      inputMode="numeric"
      maxLength={6}
      value={typed ?? value}
      onChange={(event) => setTyped(event.target.value)}
      onBlur={() => {
        if (typed !== null) onChange(readTime(typed) ?? typed)
        setTyped(null)
      }}
      className="tabular h-8 w-17 text-center"
    />
  )
}
