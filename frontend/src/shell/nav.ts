import type { MessageDescriptor } from '@lingui/core'
import { msg } from '@lingui/core/macro'
import type { LinkProps } from '@tanstack/react-router'
import {
  Activity,
  BadgeCheck,
  BrainCircuit,
  CircleUserRound,
  Columns3,
  Inbox,
  type LucideIcon,
  MessageSquareQuote,
  Radio,
  Rocket,
  ScrollText,
  ShieldCheck,
  Smartphone,
  Store,
  Users,
} from 'lucide-react'
import type { Permission } from '@/session/session'

export type NavItem = {
  to: NonNullable<LinkProps['to']>
  label: MessageDescriptor
  icon: LucideIcon
  /** Without this permission it is not shown; the route's own guard asks for the same. */
  needs: Permission
  /** A sequence that opens it: `g i`. */
  keys?: string
  /** `work` stands at the top and in the phone's bar, `setup` below it, `own` at the bottom. */
  group: 'work' | 'setup' | 'own'
}

/** Every screen that stands in the navigation, the palette and the shortcuts: one line each. */
export const NAV: readonly NavItem[] = [
  {
    to: '/inbox',
    label: msg`Bandeja`,
    icon: Inbox,
    needs: 'conversations:read',
    keys: 'g i',
    group: 'work',
  },
  {
    to: '/canned-replies',
    label: msg`Respuestas guardadas`,
    icon: MessageSquareQuote,
    needs: 'conversations:answer',
    keys: 'g r',
    group: 'setup',
  },
  {
    to: '/simulator',
    label: msg`Teléfono`,
    icon: Smartphone,
    needs: 'conversations:answer',
    keys: 'g t',
    group: 'work',
  },
  {
    to: '/setup',
    label: msg`Primeros pasos`,
    icon: Rocket,
    needs: 'system:manage',
    group: 'setup',
  },
  {
    to: '/business',
    label: msg`Negocio`,
    icon: Store,
    needs: 'business:read',
    keys: 'g b',
    group: 'setup',
  },
  { to: '/channels', label: msg`Canales`, icon: Radio, needs: 'channels:read', keys: 'g n', group: 'setup' },
  {
    to: '/ai/providers',
    label: msg`Modelos de IA`,
    icon: BrainCircuit,
    needs: 'models:read',
    keys: 'g o',
    group: 'setup',
  },
  {
    to: '/ai/playground',
    label: msg`Comparar modelos`,
    icon: Columns3,
    needs: 'models:manage',
    group: 'setup',
  },
  { to: '/team', label: msg`Equipo`, icon: Users, needs: 'accounts:read', keys: 'g e', group: 'setup' },
  {
    to: '/proof',
    label: msg`Prueba de entrega`,
    icon: BadgeCheck,
    needs: 'system:read',
    keys: 'g v',
    group: 'setup',
  },
  {
    to: '/security',
    label: msg`Seguridad`,
    icon: ShieldCheck,
    needs: 'security:read',
    keys: 'g d',
    group: 'setup',
  },
  { to: '/audit', label: msg`Auditoría`, icon: ScrollText, needs: 'audit:read', keys: 'g u', group: 'setup' },
  { to: '/system', label: msg`Sistema`, icon: Activity, needs: 'system:read', keys: 'g s', group: 'setup' },
  {
    to: '/me',
    label: msg`Mi cuenta`,
    icon: CircleUserRound,
    needs: 'self:manage',
    keys: 'g m',
    group: 'own',
  },
]

/** Where somebody with these permissions begins. */
export const firstScreen = (permissions: readonly Permission[]): NavItem | undefined =>
  NAV.find((item) => permissions.includes(item.needs))
