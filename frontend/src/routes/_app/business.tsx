import { createFileRoute } from '@tanstack/react-router'
import { BusinessPage } from '@/features/business'
import { needs } from '@/shell/guard'

export const Route = createFileRoute('/_app/business')({
  beforeLoad: needs('business:read'),
  component: BusinessPage,
})
