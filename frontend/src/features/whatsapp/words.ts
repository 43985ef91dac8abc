import type { MessageDescriptor } from '@lingui/core'
import { msg } from '@lingui/core/macro'
import type { ChannelDetails, WhatsappSchemasCheck } from '@/api'

type CheckName = WhatsappSchemasCheck['check']

/** What a working channel needs, and what to do when it is not so. */
export const CHECKS: Record<CheckName, { name: MessageDescriptor; remedy: MessageDescriptor }> = {
  secrets: {
    name: msg`Las credenciales se pueden leer`,
    remedy: msg`Vuelve a escribir el token, el secreto de la app y el de verificación.`,
  },
  token: {
    name: msg`WhatsApp acepta el token`,
    remedy: msg`Crea en Meta un token permanente de un usuario del sistema, con los permisos whatsapp_business_messaging y whatsapp_business_management.`,
  },
  number: {
    name: msg`El número existe y está sano`,
    remedy: msg`Copia de Meta el identificador del número, que no es el teléfono. Si su calidad es roja, escribe menos y solo a quien lo pidió.`,
  },
  business_account: {
    name: msg`La cuenta de WhatsApp Business es la suya`,
    remedy: msg`Guarda el identificador de la cuenta del número: las plantillas lo necesitan.`,
  },
  subscription: {
    name: msg`La app está suscrita a la cuenta`,
    remedy: msg`En Meta: WhatsApp, Configuración, Webhook. Suscribe tu app a la cuenta.`,
  },
  address: {
    name: msg`WhatsApp puede llegar a este servidor`,
    remedy: msg`Pon en PUBLIC_URL la dirección https:// con la que internet llega a este servidor.`,
  },
  webhook: {
    name: msg`Han llegado avisos`,
    remedy: msg`Copia en Meta la dirección del webhook y el token de verificación, y escribe al número.`,
  },
}

export const SOURCES: Record<ChannelDetails['source'], MessageDescriptor> = {
  environment: msg`De la configuración del servidor`,
  simulator: msg`Simulador`,
  panel: msg`Añadido aquí`,
}
