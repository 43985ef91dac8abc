import { Trans, useLingui } from '@lingui/react/macro'
import { QueryErrorResetBoundary } from '@tanstack/react-query'
import { CircleAlert, RotateCw } from 'lucide-react'
import { Component, type ReactNode } from 'react'
import { messageOf } from '@/session/messages'
import { ApiError } from '@/session/problem'
import { Button } from './button'

/** What went wrong, how to try again, and the id that finds it in the server's log. */
export function ErrorPane({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t, i18n } = useLingui()
  const requestId = error instanceof ApiError ? error.requestId : null
  return (
    <div
      role="alert"
      className="flex h-full flex-col items-center justify-center gap-2 px-6 py-10 text-center"
    >
      <CircleAlert aria-hidden className="size-7 text-danger" />
      <p className="font-semibold">{i18n._(messageOf(error))}</p>
      {requestId && (
        <p className="text-muted text-xs">
          <Trans>
            Si lo cuentas a soporte, añade este número:{' '}
            <code className="select-all font-mono">{requestId}</code>
          </Trans>
        </p>
      )}
      {retry && (
        <Button onClick={retry} className="mt-2">
          <RotateCw aria-hidden />
          {t`Reintentar`}
        </Button>
      )}
    </div>
  )
}

type BoundaryProps = { children: ReactNode; reset: () => void; resetKey?: unknown }

class Boundary extends Component<BoundaryProps, { error: unknown }> {
  override state: { error: unknown } = { error: null }

  static getDerivedStateFromError(error: unknown) {
    return { error }
  }

  override componentDidUpdate(before: BoundaryProps) {
    if (this.state.error && before.resetKey !== this.props.resetKey) this.setState({ error: null })
  }

  override render() {
    if (!this.state.error) return this.props.children
    return (
      <ErrorPane
        error={this.state.error}
        retry={() => {
          this.props.reset()
          this.setState({ error: null })
        }}
      />
    )
  }
}

/** Part of a page that may fail by itself: the rest keeps working. A new `resetKey` shows the children again. */
export function Pane({ children, resetKey }: { children: ReactNode; resetKey?: unknown }) {
  return (
    <QueryErrorResetBoundary>
      {({ reset }) => (
        <Boundary reset={reset} resetKey={resetKey}>
          {children}
        </Boundary>
      )}
    </QueryErrorResetBoundary>
  )
}
