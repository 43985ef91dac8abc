import { createFileRoute } from '@tanstack/react-router'
import { Channels } from '@/features/whatsapp'
import { needs } from '@/shell/guard'

export const Route = createFileRoute('/_app/channels')({
  beforeLoad: needs('channels:read'),
  component: Channels,
})
