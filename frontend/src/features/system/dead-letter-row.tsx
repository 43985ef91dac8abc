import { Plural, useLingui } from '@lingui/react/macro'
import { useMutation } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { FileX, type LucideIcon, MessageSquareX, MessagesSquare, SendHorizontal, Webhook } from 'lucide-react'
import { type DeadLetter, operationsRetry } from '@/api'
import { messageOf } from '@/session/messages'
import { useCan } from '@/session/session'
import { Button } from '@/ui/button'
import { CopyButton } from '@/ui/copy-button'
import { DateTime } from '@/ui/date-time'
import { toast } from '@/ui/toast'
import { useLettersChanged } from './queries'
import { LETTERS, type LetterKind, letterReason } from './words'

const ICONS: Record<LetterKind, LucideIcon> = {
  webhook: Webhook,
  turn: MessageSquareX,
  outbound: SendHorizontal,
  media: FileX,
}

type RowProps = {
  letter: DeadLetter
  onDiscard: () => void
  /** Shows what came, where that was kept. */
  onShow?: () => void
}

export function DeadLetterRow({ letter, onDiscard, onShow }: RowProps) {
  const { t, i18n } = useLingui()
  const mayManage = useCan('system:manage')
  const Icon = ICONS[letter.kind]
  const retry = useRetry(letter)
  return (
    <li className="flex flex-wrap items-start gap-x-4 gap-y-2 rounded-xl border border-line bg-surface p-4">
      <Icon aria-hidden className="mt-0.5 size-5 shrink-0 text-warn" />
      <div className="min-w-0 flex-1 basis-72 [overflow-wrap:anywhere]">
        <h2 className="font-medium">{i18n._(LETTERS[letter.kind].name)}</h2>
        <p className="text-sm">
          <Reason letter={letter} />
        </p>
        <p className="mt-0.5 flex flex-wrap items-center gap-x-2 text-muted text-xs">
          <DateTime at={letter.at} />
          <span aria-hidden>·</span>
          <Plural value={letter.attempts} one="# intento" other="# intentos" />
          <span aria-hidden>·</span>
          <span className="inline-flex items-center">
            <code className="font-mono max-md:hidden">{letter.id}</code>
            <CopyButton text={letter.id} label={t`Copiar el identificador`} />
          </span>
        </p>
        {letter.conversation_id && (
          <Link
            to="/inbox/$conversationId"
            params={{ conversationId: letter.conversation_id }}
            className="inline-flex min-h-7 items-center gap-1.5 font-medium text-accent text-sm hover:underline"
          >
            <MessagesSquare aria-hidden className="size-4" />
            {t`Abrir la conversación`}
          </Link>
        )}
      </div>
      <div className="flex flex-wrap gap-2">
        {onShow && (
          <Button size="sm" onClick={onShow}>
            {t`Ver lo que llegó`}
          </Button>
        )}
        {mayManage && (
          <>
            <Button size="sm" busy={retry.isPending} onClick={() => retry.mutate()}>
              {t`Reintentar`}
            </Button>
            <Button size="sm" onClick={onDiscard}>
              {t`Descartar…`}
            </Button>
          </>
        )}
      </div>
    </li>
  )
}

function Reason({ letter }: { letter: DeadLetter }) {
  const { t, i18n } = useLingui()
  if (!letter.reason) return t`Sin motivo anotado`
  const words = letterReason(letter.reason)
  return words ? i18n._(words) : <span lang="en">{letter.reason}</span>
}

function useRetry(letter: DeadLetter) {
  const { t, i18n } = useLingui()
  const changed = useLettersChanged()
  return useMutation({
    mutationFn: () => operationsRetry({ path: { kind: letter.kind, letter_id: letter.id } }),
    onSuccess: () => toast.success(t`Se está intentando otra vez`),
    onError: (error) => toast.error(i18n._(messageOf(error))),
    onSettled: changed,
  })
}
