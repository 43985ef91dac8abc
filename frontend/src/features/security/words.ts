import type { MessageDescriptor } from '@lingui/core'
import { msg } from '@lingui/core/macro'
import type { Alert } from '@/api'

export type Kind = Alert['fingerprint']

export const KINDS: Record<Kind, MessageDescriptor> = {
  sign_in_failed: msg`Contraseñas equivocadas`,
  locked_out: msg`Cuentas cerradas por intentos`,
  refresh_reused: msg`Sesiones usadas dos veces`,
  live_refused: msg`Conexiones en vivo rechazadas`,
  bad_signature: msg`Webhooks con firma falsa`,
  audit_broken: msg`Auditoría alterada`,
}

export const REMEDIES: Record<Kind, MessageDescriptor> = {
  sign_in_failed: msg`Alguien prueba contraseñas. Mira desde dónde y, si no es de los tuyos, bloquéalo en tu proxy.`,
  locked_out: msg`Pregunta a la persona si fue ella; si no, exige un segundo factor.`,
  refresh_reused: msg`Puede que hayan robado una sesión. Ya se cerró; cambia la contraseña de esa persona.`,
  live_refused: msg`Una página ajena o un programa sin permiso intenta escuchar.`,
  bad_signature: msg`Comprueba el secreto de la aplicación de Meta; si es el correcto, alguien se hace pasar por WhatsApp.`,
  audit_broken: msg`Guarda una instantánea y una copia de la base de datos antes de tocar nada.`,
}
