import type { MessageDescriptor } from '@lingui/core'
import { msg } from '@lingui/core/macro'
import { ApiError, Offline } from './problem'

// The codes that a person can do something about. The others are told by their status; the server's own words are
// English and stand nowhere.
const BY_CODE: Record<string, MessageDescriptor> = {
  account_disabled: msg`Esta cuenta está desactivada. Habla con quien administra Mostrador.`,
  business_profile_changed: msg`Otra persona cambió el perfil del negocio mientras tanto.`,
  cannot_resend: msg`Ese mensaje ya no se puede enviar otra vez.`,
  channel_exists: msg`Ese número ya está añadido.`,
  channel_of_settings: msg`Este número se configura en el servidor, no aquí.`,
  control_has_changed: msg`Otra persona cambió quién atiende esta conversación. Mírala de nuevo.`,
  dead_letter_not_found: msg`Ya no está apartado: alguien lo reintentó o lo descartó.`,
  invalid_link: msg`Este enlace ya se usó o caducó. Pide uno nuevo.`,
  last_admin: msg`Tiene que quedar al menos una persona que administre.`,
  media_not_stored: msg`El archivo todavía no está guardado.`,
  media_pending: msg`El archivo todavía se está descargando.`,
  media_refused: msg`El archivo se rechazó: su tipo o su tamaño no se admiten.`,
  not_allowed: msg`Tu papel no permite esto.`,
  provider_known: msg`Ese modelo ya está en la lista.`,
  provider_of_environment: msg`Ese proveedor está configurado en el servidor: se cambia allí, o se apaga aquí.`,
  provider_order_changed: msg`Otra persona cambió el orden mientras tanto. Míralo como está ahora y repite tu cambio.`,
  provider_route_not_found: msg`Ese proveedor ya no está.`,
  too_late: msg`Ya es tarde: el mensaje salió o terminó mientras tanto.`,
  turn_not_reopened: msg`Ya no toca responder: una persona atiende la conversación, o hay una respuesta más nueva en marcha.`,
  username_taken: msg`Ese nombre de usuario ya existe.`,
  weak_password: msg`Esa contraseña es demasiado fácil de adivinar.`,
  whatsapp_refused: msg`WhatsApp lo rechazó.`,
  whatsapp_unavailable: msg`WhatsApp no responde ahora. Vuelve a intentarlo en un momento.`,
  window_closed: msg`Pasaron 24 horas desde el último mensaje del cliente: solo se puede enviar una plantilla.`,
  wrong_credentials: msg`El usuario o la contraseña no son correctos.`,
  wrong_second_factor: msg`Ese código no es correcto o ya se usó.`,
}

const BY_STATUS: Record<number, MessageDescriptor> = {
  401: msg`Tu sesión terminó. Vuelve a entrar.`,
  403: msg`No tienes permiso para esto.`,
  404: msg`Eso ya no existe.`,
  409: msg`Cambió mientras tanto. Mira cómo está ahora y vuelve a intentarlo.`,
  413: msg`Es demasiado grande.`,
  422: msg`Hay algo que corregir en lo que escribiste.`,
  429: msg`Demasiados intentos seguidos. Espera un momento.`,
  503: msg`El servidor está ocupado. Vuelve a intentarlo en un momento.`,
}

/** What to tell a person about an error, in their language. */
export function messageOf(error: unknown): MessageDescriptor {
  if (error instanceof Offline) return msg`No hay conexión con el servidor.`
  if (error instanceof ApiError)
    return BY_CODE[error.code] ?? BY_STATUS[error.status] ?? msg`El servidor no pudo hacerlo.`
  return msg`Algo falló en esta página.`
}
