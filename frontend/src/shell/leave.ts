import { useLingui } from '@lingui/react/macro'
import { useQueryClient } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { messageOf } from '@/session/messages'
import { forgetSession, signOut } from '@/session/session'
import { toast } from '@/ui/toast'

/** Sign out, here and in every tab, and go to the sign-in. */
export function useLeave(): () => void {
  const { i18n } = useLingui()
  const router = useRouter()
  const queries = useQueryClient()
  return () => {
    void signOut()
      .then(async () => {
        await router.navigate({ to: '/login' })
        forgetSession(queries)
      })
      .catch((error: unknown) => toast.error(i18n._(messageOf(error))))
  }
}
