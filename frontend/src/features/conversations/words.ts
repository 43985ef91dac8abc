import type { MessageDescriptor } from '@lingui/core'
import { msg } from '@lingui/core/macro'
import type { Conversation, ModelCall, Turn } from '@/api'
import type { View } from './filter'

export const VIEW_NAMES: Record<View, MessageDescriptor> = {
  open: msg`Abiertas`,
  mine: msg`Mías`,
  unassigned: msg`Sin asignar`,
  attention: msg`Piden atención`,
  unread: msg`Sin leer`,
  closed: msg`Cerradas`,
}

export const CONTROL_NAMES: Record<Conversation['control'], MessageDescriptor> = {
  bot: msg`Atiende el bot`,
  person: msg`Atiende una persona`,
  nobody: msg`No atiende nadie`,
}

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

export const OUTCOMES: Record<ModelCall['outcome'], MessageDescriptor> = {
  answered: msg`Respondió`,
  failed: msg`Falló`,
  skipped: msg`Se saltó`,
}

// What a message without words is called.
const KINDS: Record<string, MessageDescriptor> = {
  image: msg`Imagen`,
  video: msg`Video`,
  audio: msg`Audio`,
  document: msg`Documento`,
  sticker: msg`Sticker`,
  location: msg`Ubicación`,
  contacts: msg`Contacto`,
  reaction: msg`Reacción`,
  order: msg`Pedido`,
  template: msg`Plantilla`,
  unsupported: msg`Un tipo de mensaje que WhatsApp no nos muestra`,
  revoke: msg`Borró un mensaje`,
  edit: msg`Corrigió un mensaje`,
  system: msg`Aviso de WhatsApp`,
  request_welcome: msg`Abrió el chat`,
}

export const kindName = (kind: string): MessageDescriptor => KINDS[kind] ?? msg`Mensaje`
