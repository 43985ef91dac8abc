import type { MessageDescriptor } from '@lingui/core'
import { msg } from '@lingui/core/macro'

const ERRORS: Record<string, MessageDescriptor> = {
  rate: msg`Demasiadas peticiones por ahora`,
  quota: msg`Se acabó el cupo o el saldo en el proveedor`,
  overload: msg`El proveedor está saturado`,
  server: msg`El proveedor falló por dentro`,
  network: msg`No se pudo conectar`,
  timeout: msg`No respondió a tiempo`,
  malformed: msg`Respondió algo que no es una respuesta`,
  auth: msg`Rechazó la clave`,
  not_found: msg`No conoce ese modelo o esa dirección`,
  context: msg`La conversación es demasiado larga para el modelo`,
  param: msg`Rechazó un parámetro`,
  refusal: msg`El modelo se negó a responder`,
  bad_request: msg`Rechazó la petición`,
  disabled: msg`Está apagado`,
  no_images: msg`No entiende imágenes`,
  context_too_small: msg`La conversación es demasiado larga para el modelo`,
  cool_down: msg`Está en espera`,
  breaker_open: msg`Está en pausa por fallos seguidos`,
  minute_budget: msg`Agotó las peticiones de este minuto`,
  day_budget: msg`Agotó las peticiones de hoy`,
  money_budget: msg`Agotó el gasto de hoy`,
  cancelled: msg`Ya nadie esperaba la respuesta`,
  busy: msg`Está ocupado`,
}

/** Why a provider did not answer, by the kind that the API names. */
export const errorName = (kind: string | null): MessageDescriptor =>
  (kind !== null && ERRORS[kind]) || msg`No respondió`
