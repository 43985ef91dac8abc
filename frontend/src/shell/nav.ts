import type { MessageDescriptor } from '@lingui/core'
import { msg } from '@lingui/core/macro'
import type { LinkProps } from '@tanstack/react-router'
import { Activity, BrainCircuit, CircleUserRound, Columns3, type LucideIcon, ShieldCheck } from 'lucide-react'
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
  {
    to: '/proof',
    label: msg`Prueba de entrega`,
    icon: ShieldCheck,
    needs: 'system:read',
    keys: 'g p',
    group: 'setup',
  },
  {
    to: '/system',
    label: msg`Sistema`,
    icon: Activity,
    needs: 'system:read',
    keys: 'g s',
    group: 'setup',
  },
  {
    to: '/me',
    label: msg`Mi cuenta`,
    icon: CircleUserRound,
    needs: 'self:manage',
    keys: 'g m',
    group: 'own',
  },
]
