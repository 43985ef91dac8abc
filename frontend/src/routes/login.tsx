import { createFileRoute } from '@tanstack/react-router'
import { SignIn } from '@/features/accounts'

type Search = { next?: string }

export const Route = createFileRoute('/login')({
  // Only a path of the panel itself: an address from elsewhere must not send anybody away after they signed in.
  validateSearch: (search: Record<string, unknown>): Search =>
    typeof search.next === 'string' && /^\/(?![/\\])/.test(search.next) ? { next: search.next } : {},
  component: Login,
})

function Login() {
  const { next } = Route.useSearch()
  return <SignIn next={next} />
}
