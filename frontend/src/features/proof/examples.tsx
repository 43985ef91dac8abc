import { useLingui } from '@lingui/react/macro'
import { Link } from '@tanstack/react-router'
import { MessagesSquare } from 'lucide-react'
import type { LedgerExample } from '@/api'
import { CopyButton } from '@/ui/copy-button'

/** Messages to look at, each in its conversation. */
export function Examples({ examples }: { examples: readonly LedgerExample[] }) {
  const { t } = useLingui()
  if (examples.length === 0) return null
  return (
    <details className="text-xs">
      <summary className="cursor-pointer py-0.5 hover:text-ink">{t`Ver ejemplos`}</summary>
      <ul>
        {examples.map(({ message_id, conversation_id }) => (
          <li key={message_id} className="flex flex-wrap items-center gap-x-2">
            <Link
              to="/inbox/$conversationId"
              params={{ conversationId: conversation_id }}
              className="inline-flex min-h-7 items-center gap-1.5 font-medium text-accent hover:underline"
            >
              <MessagesSquare aria-hidden className="size-3.5" />
              {t`Abrir la conversación`}
            </Link>
            <code className="break-all font-mono">{message_id}</code>
            <CopyButton text={message_id} label={t`Copiar el identificador`} />
          </li>
        ))}
      </ul>
    </details>
  )
}
