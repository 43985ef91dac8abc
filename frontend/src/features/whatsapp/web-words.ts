import type { MessageDescriptor } from '@lingui/core'
import { msg } from '@lingui/core/macro'
import type { WhatsappWebStatesState } from '@/api'
import type { Tone } from '@/ui/badge'

export type WebState = WhatsappWebStatesState

/** What a linked phone is doing, how well it is, and what a person should do about it. */
export const WEB_STATES: Record<
  WebState,
  { name: MessageDescriptor; tone: Tone; advice?: MessageDescriptor }
> = {
  stopped: { name: msg`Parado`, tone: 'neutral' },
  starting: { name: msg`Arrancando`, tone: 'info' },
  needs_qr: { name: msg`Espera que lo vincules`, tone: 'warn' },
  needs_code: { name: msg`Espera el código`, tone: 'warn' },
  pairing: { name: msg`Vinculando`, tone: 'info' },
  syncing: { name: msg`Sincronizando`, tone: 'info' },
  online: { name: msg`Conectado`, tone: 'good' },
  offline: {
    name: msg`Sin conexión`,
    tone: 'warn',
    advice: msg`Mira que el teléfono vinculado tenga internet. Vuelve solo cuando la tenga.`,
  },
  conflict: {
    name: msg`Abierto en otro sitio`,
    tone: 'bad',
    advice: msg`Alguien abrió esta sesión en otro navegador. Ciérrala allí y reinicia.`,
  },
  logged_out: {
    name: msg`Desvinculado`,
    tone: 'bad',
    advice: msg`El teléfono cerró la sesión. Arráncala para vincularlo otra vez.`,
  },
  update_required: {
    name: msg`WhatsApp pide actualizar`,
    tone: 'bad',
    advice: msg`Actualiza el navegador del servidor y reinicia.`,
  },
  banned: {
    name: msg`Bloqueado por WhatsApp`,
    tone: 'bad',
    advice: msg`WhatsApp bloqueó este número. Solo se puede apelar desde el teléfono.`,
  },
  crashed: { name: msg`Se cayó; vuelve a intentarlo`, tone: 'warn' },
  failed: {
    name: msg`Falló demasiadas veces`,
    tone: 'bad',
    advice: msg`Mira la captura de la página y arráncalo de nuevo.`,
  },
}

/** While one of these, there is a code to scan or to type. */
export const IS_LINKING: ReadonlySet<WebState> = new Set<WebState>(['needs_qr', 'needs_code', 'pairing'])
