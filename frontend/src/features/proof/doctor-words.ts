import { i18n, type MessageDescriptor } from '@lingui/core'
import { msg } from '@lingui/core/macro'
import { providerName } from '@/features/ai'
import { errorName } from '@/lib/model-errors'
import { type Sentence, translated } from '@/lib/sentences'

const NAMES: Record<string, MessageDescriptor> = {
  settings: msg`Configuración`,
  database: msg`Base de datos`,
  migrations: msg`Esquema de la base de datos`,
  disk: msg`Disco`,
  secrets: msg`Secretos guardados`,
  queue: msg`Redis`,
  processes: msg`Procesos`,
  schedules: msg`Tareas programadas`,
  work: msg`Trabajo pendiente`,
  invariants: msg`Reglas`,
  channels: msg`Canales de WhatsApp`,
  webhook: msg`Dirección para los avisos de Meta`,
  clock: msg`Reloj`,
  models: msg`Modelos de IA`,
}

export function checkName(name: string): MessageDescriptor {
  const [kind, ...rest] = name.split(' ')
  const which = rest.join(' ')
  if (kind === 'channel') return msg`Canal ${which}`
  if (kind === 'model') {
    const provider = providerName(which)
    return msg`Modelo de ${provider}`
  }
  return NAMES[name] ?? { id: name, message: name }
}

// The stages of a message's way, and the kinds of what was given up.
const KINDS: Record<string, MessageDescriptor> = {
  inbox: msg`Entrada`,
  turn: msg`Respuestas`,
  outbox: msg`Salida`,
  webhook: msg`Avisos de WhatsApp`,
  outbound: msg`Mensajes sin enviar`,
  media: msg`Archivos`,
}

const named = (kind: string): string => (KINDS[kind] ? i18n._(KINDS[kind]) : kind)

const FOUND: readonly Sentence[] = [
  [/well/, () => msg`Bien`],
  [/no answer \((\w+)\)/, (error) => msg`No respondió (${error})`],
  [/the data directory cannot be written/, () => msg`No se puede escribir en la carpeta de datos`],
  [/readable, environment (\w+)/, (name) => msg`Se lee bien; entorno ${name}`],
  [/SQLite answers, one process writes/, () => msg`SQLite responde; escribe un solo proceso`],
  [
    /PostgreSQL answers, and keeps what it commits/,
    () => msg`PostgreSQL responde y conserva lo que confirma`,
  ],
  [
    /PostgreSQL may forget what it has committed: (.+) off/,
    (names) => msg`PostgreSQL podría olvidar lo que confirmó: ${names} está apagado`,
  ],
  [
    /The database schema is not the one of this version: run the migrations/,
    () => msg`El esquema no es el de esta versión`,
  ],
  [
    /Less than (\d+) % of the disk is free(?:: make room now)?/,
    (share) => msg`Queda menos del ${share} % del disco`,
  ],
  [
    /Stored secrets cannot be decrypted: put their key back into FERNET_KEY/,
    () => msg`Hay secretos que ninguna clave descifra`,
  ],
  [/Redis does not answer: .+/, () => msg`Redis no responde; el trabajo se busca una vez por segundo`],
  [
    /no ([\w-]+) process was heard of for 30 seconds/,
    (kind) => msg`Ningún proceso «${kind}» da señales desde hace 30 segundos`,
  ],
  [
    /processes of several versions run: (.+)/,
    (versions) => msg`Hay procesos de varias versiones: ${versions}`,
  ],
  [/((?:\d+ (?:web|jobs|scheduler|whatsapp-web)(?:, )?)+)/, (list) => msg`En marcha: ${list}`],
  [/(\S+) failed last: (.+)/, (job, error) => msg`${job} falló la última vez: ${error}`],
  [/not started although due: (.+)/, (jobs) => msg`Debían haber empezado y no lo hicieron: ${jobs}`],
  [/(\d+) scheduled jobs run in time/, (count) => msg`${count} tareas se hacen a su hora`],
  [
    /the oldest work of (\w+) has waited for (\d+) seconds/,
    (stage = '', seconds) => {
      const name = named(stage)
      return msg`Lo más antiguo de «${name}» espera desde hace ${seconds} segundos`
    },
  ],
  [
    /(\d+) dead (\w+)/,
    (count, kind = '') => {
      const name = named(kind)
      return msg`Apartados de tipo «${name}»: ${count}`
    },
  ],
  [
    /(\d+) messages that WhatsApp never confirmed/,
    (count) => msg`${count} mensajes que WhatsApp nunca confirmó`,
  ],
  [/(\d+) waiting, nothing late/, (count) => msg`${count} en espera, nada con retraso`],
  [/(\w+): (\d+) contradict it/, (name, count) => msg`«${name}»: ${count} casos no la cumplen`],
  [/never checked yet/, () => msg`Todavía no se han comprobado`],
  [
    /all (\d+) held when they were checked last/,
    (count) => msg`Las ${count} se cumplían la última vez que se miró`,
  ],
  [/there is no channel/, () => msg`No hay ningún canal`],
  [/Meta cannot reach (.+)/, (url) => msg`Meta no puede llegar a ${url}`],
  [/stopped: (.+)/, (reason) => msg`Detenido: ${reason}`],
  [
    /no app secret: every webhook is refused/,
    () => msg`Sin secreto de la aplicación: se rechaza cada aviso de WhatsApp`,
  ],
  [
    /no verify token: Meta cannot check the webhook address/,
    () => msg`Sin clave de verificación: Meta no puede comprobar la dirección`,
  ],
  [/the number is (\w+)/, (status) => msg`El número está ${status}`],
  [/Meta rates the number's quality RED/, () => msg`Meta califica la calidad del número en ROJO`],
  [/(\S+) answers to its token/, (number) => msg`${number} responde a su clave`],
  [
    /(\d+) seconds ahead of that of (.+)/,
    (seconds, whose) => msg`${seconds} segundos adelantado respecto a ${whose}`,
  ],
  [
    /(\d+) seconds behind that of (.+)/,
    (seconds, whose) => msg`${seconds} segundos atrasado respecto a ${whose}`,
  ],
  [/agrees with the others/, () => msg`Coincide con los demás`],
  [
    /the offline answerer answers from the business profile: no provider is configured/,
    () =>
      msg`Responde el asistente sin modelo, con la ficha del negocio: no hay ningún proveedor configurado`,
  ],
  [/switched off/, () => msg`Apagado`],
  [/(\S+) answered in (\d+) ms/, (model, milliseconds) => msg`${model} respondió en ${milliseconds} ms`],
  [
    /(\S+): (rate|quota|overload|server|network|timeout|malformed|auth|not_found|context|param|refusal|bad_request): (.*)/,
    (model, kind = '', said) => {
      const error = i18n._(errorName(kind))
      return msg`${model}: ${error} (${said})`
    },
  ],
]

const REMEDIES: readonly Sentence[] = [
  [/Read the error above\./, () => msg`Mira el registro del servidor.`],
  [
    /Start the database, or correct DATABASE_URL; the server's log has the reason\./,
    () => msg`Arranca la base de datos o corrige DATABASE_URL; el registro del servidor dice por qué.`,
  ],
  [/Mend the database first\./, () => msg`Arregla antes la base de datos.`],
  [
    /Change it in \.env or in the environment, and restart\./,
    () => msg`Cámbialo en .env o en el entorno, y reinicia.`,
  ],
  [
    /Let the user that runs Mostrador write to (.+)\./,
    (path) => msg`Deja que el usuario de Mostrador escriba en ${path}.`,
  ],
  [
    /Switch (.+) on in PostgreSQL: .+/,
    (names) =>
      msg`Enciende ${names} en PostgreSQL: un mensaje aceptado tiene que sobrevivir a un corte de luz.`,
  ],
  [
    /Restart the processes of this version: they bring the schema up to date\./,
    () => msg`Reinicia los procesos de esta versión: ponen el esquema al día.`,
  ],
  [/Make room where (.+) lies\./, (path) => msg`Haz sitio donde está ${path}.`],
  [
    /Put the lost key back into FERNET_KEY, behind the newest\./,
    () => msg`Vuelve a poner la clave perdida en FERNET_KEY, detrás de la más nueva.`,
  ],
  [
    /Start Redis, or correct REDIS_URL; nothing is lost meanwhile\./,
    () => msg`Arranca Redis o corrige REDIS_URL; mientras tanto no se pierde nada.`,
  ],
  [/Start it: mostrador ([\w-]+)/, (command) => msg`Arráncalo: mostrador ${command}`],
  [/Restart those of the older version\./, () => msg`Reinicia los de la versión anterior.`],
  [/The jobs process's log has the reason\./, () => msg`El registro del proceso de trabajo dice por qué.`],
  [
    /Start the scheduler: mostrador scheduler, or mostrador serve where there is no Redis\./,
    () => msg`Arranca la agenda: mostrador scheduler, o mostrador serve si no hay Redis.`,
  ],
  [
    /Look whether the process that does it runs, and what its log says\./,
    () => msg`Mira si el proceso que lo hace está en marcha, y qué dice su registro.`,
  ],
  [
    /Look at them in the panel, then retry or discard each\./,
    () => msg`Míralos en «Apartados»: reintenta o descarta cada uno.`,
  ],
  [
    /Decide about each in the panel: send it again, mark it as sent, or drop it\./,
    () => msg`Decide sobre cada uno: enviarlo otra vez, darlo por enviado o dejarlo.`,
  ],
  [/It should be so: (.+)/, () => msg`En la prueba de entrega están los casos que no la cumplen.`],
  [
    /They are checked within five minutes of the start\./,
    () => msg`Se comprueban en los cinco minutos que siguen al arranque.`,
  ],
  [
    /Look at this server's connection to the internet: DNS, firewall, proxy\./,
    () => msg`Mira la conexión de este servidor a internet: DNS, cortafuegos, proxy.`,
  ],
  [
    /Synchronise the clocks \(NTP\): .+/,
    () =>
      msg`Sincroniza los relojes (NTP): las sesiones, las 24 horas de WhatsApp y el orden de los mensajes dependen de ellos.`,
  ],
  [
    /Make a new access token of a system user that may use this number, and set it\./,
    () => msg`Crea una clave de acceso nueva, de un usuario del sistema que pueda usar este número, y ponla.`,
  ],
  [/Put a valid key into the settings: .+/, () => msg`Pon una clave válida: el proveedor rechaza esta.`],
  [
    /Add money or raise the allowance at the provider\./,
    () => msg`Añade saldo o amplía el cupo en el proveedor.`,
  ],
  [/Correct the model's name or the base URL\./, () => msg`Corrige el nombre del modelo o la dirección.`],
  [
    /Set WHATSAPP_CLOUD_TOKEN and WHATSAPP_PHONE_ID, add one in the panel, or set SIMULATOR=true\./,
    () => msg`Añade un canal aquí, define WHATSAPP_CLOUD_TOKEN y WHATSAPP_PHONE_ID, o pon SIMULATOR=true.`,
  ],
  [
    /Set PUBLIC_URL to the https:\/\/ address that Meta reaches, and give Meta that webhook address\./,
    () => msg`Pon en PUBLIC_URL la dirección https:// a la que llega Meta, y dale a Meta esa dirección.`,
  ],
  [
    /Put its secrets or their key back\./,
    () => msg`Vuelve a poner sus secretos, o la clave que los descifra.`,
  ],
  [
    /Mend what WhatsApp says, then resume the channel in the panel\./,
    () => msg`Arregla lo que dice WhatsApp y reanuda el canal.`,
  ],
  [
    /Give it the app secret that Meta's dashboard shows under Settings, Basic\./,
    () => msg`Dale el secreto de la aplicación que muestra Meta en Configuración, Básica.`,
  ],
  [/Set one here and in Meta's dashboard\./, () => msg`Pon una aquí y en el panel de Meta.`],
  [/See the number's page in Meta's dashboard\./, () => msg`Mira la página del número en el panel de Meta.`],
  [/Start mostrador serve\./, () => msg`Arranca mostrador serve.`],
  [
    /Write only to people who want it: Meta limits or blocks numbers of low quality\./,
    () => msg`Escribe solo a quien lo quiera: Meta limita o bloquea los números de baja calidad.`,
  ],
  [
    /Try again later, or put another provider before it\./,
    () => msg`Inténtalo más tarde, o pon otro proveedor delante.`,
  ],
]

export const foundIn = (text: string): MessageDescriptor | null => translated(text, FOUND)
export const remedyIn = (text: string): MessageDescriptor | null => translated(text, REMEDIES)
