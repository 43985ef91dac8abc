import { createFileRoute } from '@tanstack/react-router'
import { CannedReplies } from '@/features/conversations'
import { needs } from '@/shell/guard'

export const Route = createFileRoute('/_app/canned-replies')({
  beforeLoad: needs('conversations:answer'),
  component: CannedReplies,
})
