import type { MessageDescriptor } from '@lingui/core'
import { msg } from '@lingui/core/macro'
import type { BusinessProfile } from '@/api'
import type { Day, IntervalProblem } from './hours'

export const PARTS: Record<keyof BusinessProfile, MessageDescriptor> = {
  name: msg`nombre`,
  description: msg`descripción`,
  language: msg`idioma`,
  tone: msg`tono`,
  greeting: msg`saludo`,
  disclosure: msg`presentación del asistente`,
  hours: msg`horario`,
  outside_hours_message: msg`mensaje fuera de horario`,
  facts: msg`lo que sabe`,
  answer_policy: msg`a quién se responde`,
  paused: msg`pausa`,
}

export const DAY_NAMES: Record<Day, MessageDescriptor> = {
  monday: msg`Lunes`,
  tuesday: msg`Martes`,
  wednesday: msg`Miércoles`,
  thursday: msg`Jueves`,
  friday: msg`Viernes`,
  saturday: msg`Sábado`,
  sunday: msg`Domingo`,
}

export const INTERVAL_PROBLEMS: Record<IntervalProblem, MessageDescriptor> = {
  not_a_time: msg`Escribe las horas así: 09:00. El día entero es de 00:00 a 24:00.`,
  empty: msg`Abre y cierra a la misma hora.`,
  overlap: msg`Dos tramos se pisan.`,
}

export const POLICIES: Record<
  BusinessProfile['answer_policy'],
  { name: MessageDescriptor; hint: MessageDescriptor }
> = {
  everyone: { name: msg`A todos`, hint: msg`Cualquiera que escriba recibe respuesta.` },
  approved: {
    name: msg`Solo a contactos aprobados`,
    hint: msg`A los demás los atiende una persona. Se aprueban en su ficha.`,
  },
  nobody: { name: msg`A nadie`, hint: msg`El asistente calla; solo responden personas.` },
}

export const LANGUAGES: { value: BusinessProfile['language']; label: string }[] = [
  { value: 'es', label: 'Español' },
  { value: 'en', label: 'English' },
  { value: 'pt-BR', label: 'Português (Brasil)' },
]
