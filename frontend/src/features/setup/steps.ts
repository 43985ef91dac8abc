import type { MessageDescriptor } from '@lingui/core'
import { msg } from '@lingui/core/macro'
import type { Setup, SetupStep } from '@/api'

export type StepName = SetupStep['name']

/** In the order in which one does them: the phone comes last, when there is something to try. */
export const STEP_ORDER: readonly StepName[] = ['profile', 'provider', 'channel', 'team', 'test_message']

export const STEPS: Record<StepName, { name: MessageDescriptor; why: MessageDescriptor }> = {
  profile: {
    name: msg`Negocio`,
    why: msg`Por quién habla el asistente. El horario, los datos y lo demás se completan después, en Negocio.`,
  },
  provider: {
    name: msg`Modelo de IA`,
    why: msg`Sin ningún modelo el asistente responde solo con los datos de tu negocio, gratis. Con uno conversa.`,
  },
  channel: {
    name: msg`WhatsApp`,
    why: msg`El número por el que te escriben. Mientras no lo conectes, todo funciona con el simulador.`,
  },
  team: {
    name: msg`Equipo`,
    why: msg`Quién atiende cuando hace falta una persona.`,
  },
  test_message: {
    name: msg`Prueba`,
    why: msg`Escríbele a tu asistente como lo haría un cliente y mira qué responde.`,
  },
}

export const stepOf = (setup: Setup, name: StepName): SetupStep =>
  setup.steps.find((step) => step.name === name) ?? { name, state: 'todo', detail: null }

/** Where to go on: the first step that nobody did or skipped, or else the last one. */
export function nextStep(setup: Setup): StepName {
  return STEP_ORDER.find((name) => stepOf(setup, name).state === 'todo') ?? 'test_message'
}

/** The step after this one, or null after the last. */
export const after = (name: StepName): StepName | null => STEP_ORDER[STEP_ORDER.indexOf(name) + 1] ?? null

/** Those that are skipped, with one of them put in or taken out. */
export function withSkipped(setup: Setup, name: StepName, isSkipped: boolean): StepName[] {
  const others = setup.steps.filter((step) => step.state === 'skipped' && step.name !== name)
  return [...others.map((step) => step.name), ...(isSkipped ? [name] : [])]
}
