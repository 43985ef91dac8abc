import { createFileRoute } from '@tanstack/react-router'
import { Providers } from '@/features/ai'
import { needs } from '@/shell/guard'

export const Route = createFileRoute('/_app/ai/providers')({
  beforeLoad: needs('models:read'),
  component: Providers,
})
