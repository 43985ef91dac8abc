import { createFileRoute } from '@tanstack/react-router'

// The inbox itself shows the conversation; this route gives it an address.
export const Route = createFileRoute('/_app/inbox/$conversationId')({})
