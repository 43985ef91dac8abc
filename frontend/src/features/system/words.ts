import type { MessageDescriptor } from '@lingui/core'
import { msg } from '@lingui/core/macro'
import type { Component, DeadLetter, Process, Reason } from '@/api'
import { type Sentence, translated } from '@/lib/sentences'
import { REASONS } from '@/lib/why'

type Status = Component['status']

export const STATUSES: Record<Status, MessageDescriptor> = {
  ok: msg`Bien`,
  degraded: msg`Funciona a medias`,
  unhealthy: msg`No funciona`,
}

export const PROCESSES: Record<Process['kind'], MessageDescriptor> = {
  web: msg`Web`,
  jobs: msg`Trabajos`,
  scheduler: msg`Agenda`,
  'whatsapp-web': msg`WhatsApp Web`,
}

const PARTS: Record<string, { name: MessageDescriptor; about: MessageDescriptor }> = {
  database: { name: msg`Base de datos`, about: msg`Guarda cada mensaje antes de aceptarlo.` },
  migrations: { name: msg`Esquema`, about: msg`La base de datos tiene la forma que espera esta versión.` },
  disk: { name: msg`Disco`, about: msg`Hay sitio donde están los datos.` },
  queue: { name: msg`Cola`, about: msg`Despierta el trabajo en cuanto llega.` },
  jobs: { name: msg`Procesos de trabajo`, about: msg`Hacen lo que puede esperar.` },
  secrets: { name: msg`Secretos`, about: msg`Las claves guardadas se pueden descifrar.` },
  invariants: { name: msg`Reglas`, about: msg`Lo que siempre tiene que cumplirse, se cumple.` },
  backlog: { name: msg`Trabajo pendiente`, about: msg`Nada espera demasiado.` },
  draining: { name: msg`Parada`, about: msg`Este proceso no se está deteniendo.` },
}

export const partOf = (name: string) => PARTS[name] ?? null

// What health says when something is wrong, and with it what to do.
const SENTENCES: readonly Sentence[] = [
  [
    /The database schema is not the one of this version: run the migrations\./,
    () =>
      msg`El esquema no es el de esta versión. Reinicia los procesos de esta versión: lo ponen al día al arrancar.`,
  ],
  [
    /Less than 5 % of the disk is free: make room now\./,
    () => msg`Queda menos del 5 % del disco. Haz sitio ya, o dejarán de aceptarse mensajes.`,
  ],
  [/Less than 10 % of the disk is free\./, () => msg`Queda menos del 10 % del disco. Haz sitio pronto.`],
  [
    /Redis does not answer: jobs are found by looking once a second\./,
    () =>
      msg`Redis no responde. No se pierde nada: el trabajo se busca una vez por segundo. Arranca Redis o corrige REDIS_URL.`,
  ],
  [
    /The jobs of this process have stopped\./,
    () => msg`Los trabajos de este proceso se detuvieron. Reinicia Mostrador; el registro dice por qué.`,
  ],
  [
    /No jobs process was heard of for 30 seconds\./,
    () => msg`Ningún proceso de trabajo da señales desde hace 30 segundos. Arráncalo: mostrador jobs`,
  ],
  [
    /Stored secrets cannot be decrypted: put their key back into FERNET_KEY\./,
    () =>
      msg`Hay secretos que ninguna clave descifra. Vuelve a poner su clave en FERNET_KEY, detrás de la más nueva.`,
  ],
  [/This process is stopping\./, () => msg`Este proceso se está deteniendo.`],
  [
    /Work has been waiting for more than two minutes\./,
    () => msg`Hay trabajo que espera desde hace más de dos minutos. Mira las colas y los procesos de abajo.`,
  ],
  [
    /No answer: the server's log has the reason\./,
    () => msg`No responde. El registro del servidor dice por qué.`,
  ],
  [
    /Not true here: .+\./,
    () => msg`Alguna regla no se cumple. En la prueba de entrega se ve cuál, y con qué casos.`,
  ],
  [
    /The invariants were last checked long ago: does the scheduler run\?/,
    () =>
      msg`Hace mucho que no se comprueban las reglas. ¿Está en marcha la agenda? Arráncala: mostrador scheduler`,
  ],
]

export const detailOf = (detail: string): MessageDescriptor | null => translated(detail, SENTENCES)

type Words = { name: MessageDescriptor; about: MessageDescriptor }

/** The stages of a message's way, in their order, and what else waits. */
const QUEUES: Record<string, Words> = {
  ingest: { name: msg`Entrada`, about: msg`Avisos de WhatsApp por leer` },
  answer: { name: msg`Respuestas`, about: msg`Mensajes por responder` },
  deliver: { name: msg`Salida`, about: msg`Mensajes por enviar` },
  relay: { name: msg`Noticias`, about: msg`Cambios por contar al panel y a otros` },
  media: { name: msg`Archivos`, about: msg`Fotos, audios y documentos por traer` },
}

/** What a queue is called; one of jobs is called after what it is for. */
export function queueOf(name: string): Words {
  const jobs = name.replace(/^jobs\./, '')
  return QUEUES[name] ?? { name: msg`Trabajos «${jobs}»`, about: msg`Lo que puede esperar` }
}

export type LetterKind = DeadLetter['kind']

export const LETTERS: Record<LetterKind, { name: MessageDescriptor; plural: MessageDescriptor }> = {
  webhook: { name: msg`Un aviso de WhatsApp que no se pudo leer`, plural: msg`Avisos de WhatsApp` },
  turn: { name: msg`Un mensaje que se quedó sin respuesta`, plural: msg`Mensajes sin respuesta` },
  outbound: { name: msg`Un mensaje que no se pudo enviar`, plural: msg`Mensajes sin enviar` },
  media: { name: msg`Un archivo que no se pudo traer`, plural: msg`Archivos` },
}

const LETTER_REASONS: readonly Sentence[] = [
  [
    /unknown phone_number_id (\d+): add its channel, then retry this event/,
    (number) => msg`Es para el número ${number}, que no está entre los canales. Añádelo y reintenta.`,
  ],
  [
    /phone_number_id (\d+) belongs to another channel than the address it came to/,
    (number) => msg`El número ${number} es de otro canal que la dirección por la que llegó.`,
  ],
  [
    /given up after (\d+) attempts that ended without an outcome/,
    (count) => msg`Se dejó tras ${count} intentos que no llegaron a nada.`,
  ],
  [/its channel is gone/, () => msg`Su canal ya no está.`],
  [
    /not sent in time, and newer messages have left since/,
    () => msg`No salió a tiempo, y después salieron otros más nuevos.`,
  ],
  [/the channel's secrets cannot be read/, () => msg`Los secretos del canal no se pueden leer.`],
  [
    /the file did not arrive within (\d+) seconds/,
    (seconds) => msg`El archivo no llegó en ${seconds} segundos.`,
  ],
  [/the file is empty/, () => msg`El archivo está vacío.`],
]

/** Why something was given up: the reason of a turn, or a sentence. */
export const letterReason = (reason: string): MessageDescriptor | null =>
  REASONS[reason as Reason] ?? translated(reason, LETTER_REASONS)
