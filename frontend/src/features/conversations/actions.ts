import { useLingui } from '@lingui/react/macro'
import { useMutation } from '@tanstack/react-query'
import {
  type Conversation,
  conversationsAssign,
  conversationsClose,
  conversationsHandBack,
  conversationsRead,
  conversationsReopen,
  conversationsTakeOver,
} from '@/api'
import { messageOf } from '@/session/messages'
import { toast } from '@/ui/toast'

export type Actions = ReturnType<typeof useActions>

/** What can be done to a conversation; each answers with how it is now. */
export function useActions(conversation: Conversation, apply: (now: Conversation) => void) {
  const { i18n } = useLingui()
  const path = { conversation_id: conversation.id }
  const version = { expected_version: conversation.control_version }
  const options = {
    onSuccess: ({ data }: { data: Conversation }) => apply(data),
    onError: (error: Error) => toast.error(i18n._(messageOf(error))),
  }
  return {
    takeOver: useMutation({ mutationFn: () => conversationsTakeOver({ path, body: version }), ...options }),
    handBack: useMutation({ mutationFn: () => conversationsHandBack({ path, body: version }), ...options }),
    assign: useMutation({
      mutationFn: (userId: string | null) => conversationsAssign({ path, body: { user_id: userId } }),
      ...options,
    }),
    close: useMutation({
      mutationFn: (reason: string | null) => conversationsClose({ path, body: reason ? { reason } : {} }),
      ...options,
    }),
    reopen: useMutation({ mutationFn: () => conversationsReopen({ path }), ...options }),
    read: useMutation({ mutationFn: () => conversationsRead({ path }), onSuccess: options.onSuccess }),
  }
}
