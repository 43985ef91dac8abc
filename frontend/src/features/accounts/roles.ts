import type { MessageDescriptor } from '@lingui/core'
import { msg } from '@lingui/core/macro'
import type { Role } from '@/session/session'

export const ROLE_NAMES: Record<Role, MessageDescriptor> = {
  admin: msg`Administración`,
  supervisor: msg`Supervisión`,
  agent: msg`Atención`,
  viewer: msg`Solo lectura`,
}
