import type { MessageDescriptor } from '@lingui/core'
import { msg } from '@lingui/core/macro'
import type { Role } from '@/session/session'

export const ROLES: readonly Role[] = ['viewer', 'agent', 'supervisor', 'admin']

export const ROLE_NAMES: Record<Role, MessageDescriptor> = {
  admin: msg`Administración`,
  supervisor: msg`Supervisión`,
  agent: msg`Atención`,
  viewer: msg`Solo lectura`,
}

export const ROLE_DUTIES: Record<Role, MessageDescriptor> = {
  admin: msg`Todo: canales, modelos, personas, claves y seguridad.`,
  supervisor: msg`Atiende y además decide sobre mensajes sin confirmar y respuestas rápidas.`,
  agent: msg`Lee, toma conversaciones, responde y devuelve.`,
  viewer: msg`Lee las conversaciones. No escribe ni cambia nada.`,
}
