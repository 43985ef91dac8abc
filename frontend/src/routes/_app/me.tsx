import { createFileRoute } from '@tanstack/react-router'
import { MyAccount } from '@/features/accounts'
import { needs } from '@/shell/guard'

export const Route = createFileRoute('/_app/me')({ beforeLoad: needs('self:manage'), component: MyAccount })
