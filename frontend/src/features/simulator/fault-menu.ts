import type { MessageDescriptor } from '@lingui/core'
import { msg } from '@lingui/core/macro'
import type { Fault } from '@/api'

export type FaultKind = Fault['kind']
type Group = 'refused' | 'doubt' | 'slow' | 'webhooks' | 'statuses'

export const GROUPS: Record<Group, MessageDescriptor> = {
  refused: msg`WhatsApp no acepta el envío`,
  doubt: msg`Lo acepta, pero no se sabe`,
  slow: msg`Tarda`,
  webhooks: msg`Lo que llega de WhatsApp`,
  statuses: msg`Los avisos de entrega`,
}

type Entry = {
  group: Group
  name: MessageDescriptor
  hint: MessageDescriptor
  /** What else the fault needs, with what it is at first. */
  code?: number
  seconds?: number
}

/** Everything that may go wrong between the business and WhatsApp. */
export const FAULTS: Record<FaultKind, Entry> = {
  error: {
    group: 'refused',
    name: msg`Error de WhatsApp`,
    hint: msg`Responde con el código que elijas.`,
    code: 130429,
  },
  server_error: {
    group: 'refused',
    name: msg`Servidor roto`,
    hint: msg`Responde 500 sin haber aceptado nada.`,
  },
  drop_before_accept: {
    group: 'refused',
    name: msg`Conexión cortada`,
    hint: msg`Se corta antes de aceptar el mensaje.`,
  },
  timeout_after_accept: {
    group: 'doubt',
    name: msg`Sin respuesta`,
    hint: msg`Acepta el mensaje y no contesta nunca.`,
  },
  server_error_after_accept: {
    group: 'doubt',
    name: msg`500 después de aceptar`,
    hint: msg`El mensaje llega aunque diga que falló.`,
  },
  drop_after_accept: {
    group: 'doubt',
    name: msg`Corte después de aceptar`,
    hint: msg`El mensaje llega y la conexión se cae.`,
  },
  slow: { group: 'slow', name: msg`Lento`, hint: msg`Cada envío tarda unos segundos.`, seconds: 5 },
  duplicate_webhook: {
    group: 'webhooks',
    name: msg`Avisos repetidos`,
    hint: msg`Cada aviso llega dos veces.`,
  },
  reorder_webhooks: {
    group: 'webhooks',
    name: msg`Avisos desordenados`,
    hint: msg`Llegan en otro orden.`,
  },
  late_webhook: {
    group: 'webhooks',
    name: msg`Avisos con retraso`,
    hint: msg`Llegan unos segundos tarde.`,
    seconds: 10,
  },
  hold_webhooks: {
    group: 'webhooks',
    name: msg`Avisos retenidos`,
    hint: msg`No llega nada hasta quitar este fallo.`,
  },
  lost_statuses: {
    group: 'statuses',
    name: msg`Avisos perdidos`,
    hint: msg`Nunca se sabe si se entregó o se leyó.`,
  },
  failed_status: {
    group: 'statuses',
    name: msg`Fallo posterior`,
    hint: msg`Acepta el mensaje y después avisa de que no llegó.`,
    code: 131026,
  },
}

/** Codes worth trying, with what they mean. */
export const CODES: Record<number, MessageDescriptor> = {
  130429: msg`130429 · demasiados mensajes`,
  131026: msg`131026 · no se puede entregar`,
  131047: msg`131047 · pasaron 24 horas`,
  131048: msg`131048 · marcado como spam`,
  131049: msg`131049 · WhatsApp decidió no entregarlo`,
  131056: msg`131056 · demasiados a la misma persona`,
  131031: msg`131031 · cuenta bloqueada`,
  190: msg`190 · token caducado`,
}

/** How often: never (0), a number of times, or always (null). */
export type Times = 0 | 1 | 3 | null

export const timesOf = (fault: Fault | undefined): Times =>
  !fault ? 0 : fault.count == null ? null : fault.count === 1 ? 1 : 3

/** The faults with one of them set to strike that often. */
export function withFault(faults: readonly Fault[], kind: FaultKind, times: Times, code?: number): Fault[] {
  const others = faults.filter((fault) => fault.kind !== kind)
  if (times === 0) return others
  const entry = FAULTS[kind]
  const fault: Fault = { kind, count: times }
  if (entry.code !== undefined) fault.code = code ?? entry.code
  if (entry.seconds !== undefined) fault.seconds = entry.seconds
  return [...others, fault]
}
