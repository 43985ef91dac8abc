import type { MessageDescriptor } from '@lingui/core'
import { msg } from '@lingui/core/macro'
import type { LedgerLine, Reason } from '@/api'
import { REASONS } from '@/lib/why'

type Fate = LedgerLine['fate']

export const FATES: Record<Fate, MessageDescriptor> = {
  answered: msg`Respondidos por el asistente`,
  by_person: msg`Atendidos por una persona`,
  ignored: msg`Sin respuesta, con un motivo`,
  failed: msg`No se pudieron responder`,
  pending: msg`En curso`,
  unexplained: msg`Sin explicar`,
}

// Where a message waits, and what the ledger calls unexplained.
const OTHERS: Record<string, MessageDescriptor> = {
  turn: msg`El asistente la está pensando`,
  outbox: msg`La respuesta está por salir`,
  unconfirmed: msg`WhatsApp no confirmó si la recibió`,
  person: msg`Espera la respuesta de una persona`,
  'its turn is missing': msg`No tiene un turno que la explique`,
  'its turn is done, but nothing was sent': msg`Figura como respondida, pero no salió nada`,
  'its answer is missing': msg`Su respuesta no está en ninguna parte`,
}

/** Why a message met its fate. A reason that this panel does not know yet is shown as the server says it. */
export const reasonOf = (reason: string): MessageDescriptor | string =>
  REASONS[reason as Reason] ?? OTHERS[reason] ?? reason

const INVARIANTS: Record<string, MessageDescriptor> = {
  webhook_left_lying: msg`Un aviso de WhatsApp que aceptamos se empieza a procesar en menos de un minuto.`,
  message_left_lying: msg`Un mensaje solo espera su turno mientras se responde otro de la misma conversación.`,
  message_unexplained: msg`Cada mensaje del último día tiene un destino, o lo espera.`,
  message_doubled: msg`Un mensaje de WhatsApp se guarda una sola vez.`,
  reply_doubled: msg`Un turno tiene una sola respuesta.`,
  turn_late: msg`Un turno se atiende antes de que pasen 15 minutos de su hora.`,
  answer_missing: msg`Un turno respondido tiene una respuesta en camino.`,
  send_overdue: msg`Un envío termina, o queda aparte, en menos de un minuto.`,
  send_unconfirmed: msg`Lo que WhatsApp no confirmó se decide en menos de una hora.`,
  sent_without_id: msg`Lo que se envió tiene el identificador que le dio WhatsApp.`,
  status_orphaned: msg`El estado de un mensaje nuestro encuentra su mensaje en menos de una hora.`,
  audit_chain_broken: msg`El registro de auditoría está tal como se escribió.`,
}

export const invariantOf = (name: string): MessageDescriptor | null => INVARIANTS[name] ?? null
