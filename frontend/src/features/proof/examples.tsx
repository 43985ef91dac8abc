import { useLingui } from '@lingui/react/macro'
import type { LedgerExample } from '@/api'
import { CopyButton } from '@/ui/copy-button'

/** Messages to look at. */
export function Examples({ examples }: { examples: readonly LedgerExample[] }) {
  const { t } = useLingui()
  if (examples.length === 0) return null
  return (
    <details className="text-xs">
      <summary className="cursor-pointer py-0.5 hover:text-ink">{t`Ver ejemplos`}</summary>
      <ul>
        {examples.map(({ message_id }) => (
          <li key={message_id} className="flex items-center gap-1">
            <code className="break-all font-mono">{message_id}</code>
            <CopyButton text={message_id} />
          </li>
        ))}
      </ul>
    </details>
  )
}
