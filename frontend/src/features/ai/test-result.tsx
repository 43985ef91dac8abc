import { useLingui } from '@lingui/react/macro'
import { CircleAlert, CircleCheck } from 'lucide-react'
import type { RouteTest } from '@/api'
import { milliseconds } from '@/lib/format'
import { errorName } from '@/lib/model-errors'

/** What a trial call came to, with the provider's own words when it failed. */
export function TestResult({ result }: { result: RouteTest | undefined }) {
  const { t, i18n } = useLingui()
  return (
    <div aria-live="polite">
      {result?.ok && (
        <p className="mt-2 flex items-center gap-1.5 font-medium text-accent text-sm">
          <CircleCheck aria-hidden className="size-4" />
          {t`Respondió en ${milliseconds(result.milliseconds)}`}
        </p>
      )}
      {result && !result.ok && (
        <p className="mt-2 flex items-start gap-1.5 text-danger text-sm">
          <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
          <span className="min-w-0 [overflow-wrap:anywhere]">
            <span className="font-medium">{i18n._(errorName(result.error_kind))}</span>
            {result.error_message && <span lang="en"> · {result.error_message}</span>}
          </span>
        </p>
      )}
    </div>
  )
}
