import { createFileRoute, useParams } from '@tanstack/react-router'
import { Inbox, readFilter } from '@/features/conversations'
import { needs } from '@/shell/guard'

export const Route = createFileRoute('/_app/inbox')({
  validateSearch: readFilter,
  beforeLoad: needs('conversations:read'),
  component: InboxRoute,
})

function InboxRoute() {
  const { conversationId } = useParams({ strict: false })
  return <Inbox filter={Route.useSearch()} openId={conversationId} />
}
