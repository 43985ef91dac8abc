import { useLingui } from '@lingui/react/macro'
import { type QueryClient, useMutation, useQueryClient } from '@tanstack/react-query'
import { notesAdd, notesDelete } from '@/api'
import { notesFindQueryKey } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { toast } from '@/ui/toast'

const options = (conversationId: string) => ({
  path: { conversation_id: conversationId },
  query: { limit: 100 },
})

export const refreshNotes = (queries: QueryClient, conversationId: string) =>
  queries.invalidateQueries({ queryKey: notesFindQueryKey(options(conversationId)) })

export function useAddNote(conversationId: string) {
  const { i18n } = useLingui()
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (text: string) => notesAdd({ path: { conversation_id: conversationId }, body: { text } }),
    onError: (error) => toast.error(i18n._(messageOf(error))),
    onSettled: () => refreshNotes(queries, conversationId),
  })
}

export function useDeleteNote(conversationId: string) {
  const { i18n } = useLingui()
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (noteId: string) =>
      notesDelete({ path: { conversation_id: conversationId, note_id: noteId } }),
    onError: (error) => toast.error(i18n._(messageOf(error))),
    onSettled: () => refreshNotes(queries, conversationId),
  })
}
