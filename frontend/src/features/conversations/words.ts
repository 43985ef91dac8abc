import type { MessageDescriptor } from '@lingui/core'
import { msg } from '@lingui/core/macro'
import type { Conversation, ModelCall } from '@/api'
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
