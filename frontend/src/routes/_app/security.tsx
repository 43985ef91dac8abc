import { createFileRoute } from '@tanstack/react-router'
import { SecurityConsole } from '@/features/security'
import { needs } from '@/shell/guard'

export const Route = createFileRoute('/_app/security')({
  beforeLoad: needs('security:read'),
  component: SecurityConsole,
})
