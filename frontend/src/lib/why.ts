import type { MessageDescriptor } from '@lingui/core'
import { msg } from '@lingui/core/macro'
import type { Turn } from '@/api'

/** Why a turn ended as it did: the server's closed list, every value of it. */
export const REASONS: Record<NonNullable<Turn['reason']>, MessageDescriptor> = {
  paused: msg`Mostrador está en pausa`,
  policy_nobody: msg`No se responde a nadie, según el perfil del negocio`,
  not_approved: msg`Solo se responde a contactos aprobados, y este no lo está`,
  outside_hours: msg`Llegó fuera del horario`,
  held_by_person: msg`Atiende una persona`,
  waiting_for_person: msg`Espera a una persona`,
  person_answered: msg`Una persona contestó antes`,
  nothing_to_answer: msg`No había nada que contestar`,
  newer_message: msg`Llegó un mensaje más nuevo`,
  models_unavailable: msg`Ningún modelo respondió`,
  model_refused: msg`El modelo se negó a contestar`,
  too_many_attempts: msg`Falló demasiadas veces`,
  window_closed: msg`La ventana de 24 horas estaba cerrada`,
  waited_too_long: msg`Esperó demasiado`,
  send_failed: msg`WhatsApp no la aceptó`,
  cancelled: msg`Alguien la canceló`,
}

/** How far a turn is. */
export const TURN_STATES: Record<Turn['state'], MessageDescriptor> = {
  collecting: msg`Esperando a que termine de escribir`,
  thinking: msg`Pensando`,
  ready: msg`Lista para salir`,
  sending: msg`Saliendo`,
  done: msg`Contestada`,
  handed_off: msg`Pasada a una persona`,
  ignored: msg`Sin respuesta`,
  failed: msg`Falló`,
  superseded: msg`Reemplazada por una más nueva`,
}
