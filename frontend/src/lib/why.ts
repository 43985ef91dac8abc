import type { MessageDescriptor } from '@lingui/core'
import { msg } from '@lingui/core/macro'
import type { ConversationsTurnsState, Reason } from '@/api'

/** Why there was no answer, or why it did not leave. */
export const REASONS: Record<Reason, MessageDescriptor> = {
  paused: msg`Las respuestas automáticas están en pausa.`,
  policy_nobody: msg`El negocio no responde a nadie de forma automática.`,
  not_approved: msg`Solo se responde a contactos aprobados, y este no lo está.`,
  outside_hours: msg`El negocio está fuera de su horario.`,
  held_by_person: msg`Una persona atiende esta conversación.`,
  waiting_for_person: msg`La conversación espera a una persona.`,
  person_answered: msg`Una persona respondió antes.`,
  nothing_to_answer: msg`No había nada que responder.`,
  newer_message: msg`Llegó otro mensaje y la respuesta se preparó de nuevo.`,
  models_unavailable: msg`Ningún modelo pudo responder.`,
  model_refused: msg`El modelo se negó a responder.`,
  too_many_attempts: msg`Se intentó demasiadas veces.`,
  window_closed: msg`La ventana de 24 horas estaba cerrada.`,
  waited_too_long: msg`Esperó demasiado y ya no tenía sentido.`,
  send_failed: msg`WhatsApp no aceptó el mensaje.`,
  cancelled: msg`Alguien lo canceló.`,
}

/** How far a turn is. */
export const TURN_STATES: Record<ConversationsTurnsState, MessageDescriptor> = {
  collecting: msg`Esperando por si escribe más`,
  thinking: msg`Pensando`,
  ready: msg`Respuesta lista`,
  sending: msg`Enviando`,
  done: msg`Respondido`,
  handed_off: msg`Pasado a una persona`,
  ignored: msg`Sin respuesta`,
  failed: msg`Falló`,
  superseded: msg`Reemplazado por uno más nuevo`,
}
