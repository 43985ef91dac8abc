import { CSPProvider } from '@base-ui/react/csp-provider'
import { Tooltip } from '@base-ui/react/tooltip'
import { i18n } from '@lingui/core'
import { I18nProvider } from '@lingui/react'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createRouter, RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { followAppearance } from '@/lib/appearance'
import { followLanguage } from '@/lib/i18n'
import { configureClient } from '@/session/client'
import { ApiError } from '@/session/problem'
import { forgetSession, onSignedOut } from '@/session/session'
import { ErrorPane } from '@/ui/error-pane'
import { Toasts } from '@/ui/toast'
import { routeTree } from './route-tree.gen'
import './styles.css'

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      refetchOnWindowFocus: false, // the live connection says what has changed
      // A refusal stays one; what did not get through may get through in a moment.
      retry: (failures, error) => failures < 2 && !(error instanceof ApiError && error.status < 500),
    },
  },
})

const router = createRouter({
  routeTree,
  context: { queries },
  defaultPreload: 'intent',
  defaultPreloadStaleTime: 0,
  scrollRestoration: true,
  defaultErrorComponent: ({ error, reset }) => <ErrorPane error={error} retry={reset} />,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}

function toSignIn(): void {
  const next = router.state.location.href
  if (router.state.location.pathname === '/login') return
  void router
    .navigate({ to: '/login', search: next === '/' ? {} : { next } })
    .then(() => forgetSession(queries))
}

configureClient(toSignIn)
onSignedOut(toSignIn)
followAppearance()
await followLanguage()

const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <CSPProvider disableStyleElements>
        <I18nProvider i18n={i18n}>
          <QueryClientProvider client={queries}>
            <Tooltip.Provider delay={500}>
              <RouterProvider router={router} />
              <Toasts />
            </Tooltip.Provider>
          </QueryClientProvider>
        </I18nProvider>
      </CSPProvider>
    </StrictMode>,
  )
}
