import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { MessageSquareQuote, Plus } from 'lucide-react'
import { Suspense, useState } from 'react'
import {
  type CannedReply,
  type CannedReplyDraft,
  cannedRepliesAdd,
  cannedRepliesChange,
  cannedRepliesRemove,
} from '@/api'
import { cannedRepliesFindOptions } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { useCan } from '@/session/session'
import { Button } from '@/ui/button'
import { Confirm, Dialog } from '@/ui/dialog'
import { EmptyState } from '@/ui/empty-state'
import { Pane } from '@/ui/error-pane'
import { Field, Input, Textarea } from '@/ui/field'
import { Page } from '@/ui/page'
import { SkeletonRows } from '@/ui/skeleton'
import { toast } from '@/ui/toast'

const options = cannedRepliesFindOptions({ query: { limit: 100 } })
const EMPTY: CannedReplyDraft = { shortcut: '', title: '', text: '' }

/** The texts that are written often, for `/` in the composer. Supervisors keep them. */
export function CannedReplies() {
  const { t } = useLingui()
  const mayEdit = useCan('conversations:supervise')
  const [editing, setEditing] = useState<CannedReply | 'new' | null>(null)
  const add = mayEdit && (
    <Button look="primary" onClick={() => setEditing('new')}>
      <Plus aria-hidden />
      {t`Añadir`}
    </Button>
  )
  return (
    <Page
      title={t`Respuestas guardadas`}
      description={t`En una conversación, escribe / y su atajo.`}
      actions={add}
    >
      <Pane>
        <Suspense fallback={<SkeletonRows />}>
          <Replies onEdit={mayEdit ? setEditing : null} add={add} />
        </Suspense>
      </Pane>
      {editing && (
        <Edit
          key={editing === 'new' ? 'new' : editing.id}
          reply={editing === 'new' ? null : editing}
          onClose={() => setEditing(null)}
        />
      )}
    </Page>
  )
}

type RepliesProps = { onEdit: ((reply: CannedReply) => void) | null; add: React.ReactNode }

function Replies({ onEdit, add }: RepliesProps) {
  const { t } = useLingui()
  const { data } = useSuspenseQuery(options)
  if (data.items.length === 0) {
    return (
      <EmptyState icon={<MessageSquareQuote aria-hidden />} title={t`Todavía no hay ninguna`} action={add}>
        {t`Guarda lo que más se repite: el horario, cómo llegar, los datos para pagar.`}
      </EmptyState>
    )
  }
  return (
    <ul className="grid gap-3 md:grid-cols-2">
      {data.items.map((reply) => (
        <li key={reply.id} className="flex flex-col rounded-xl border border-line bg-surface p-4">
          <p className="flex items-baseline justify-between gap-3">
            <span className="min-w-0 truncate font-semibold">{reply.title}</span>
            <code className="shrink-0 text-accent text-sm">/{reply.shortcut}</code>
          </p>
          <p className="mt-1 line-clamp-4 flex-1 whitespace-pre-wrap text-muted text-sm">{reply.text}</p>
          <p className="mt-3 flex items-center justify-between text-muted text-xs">
            {t`Usada ${reply.uses} veces`}
            {onEdit && (
              <Button size="sm" onClick={() => onEdit(reply)}>
                {t`Cambiar`}
              </Button>
            )}
          </p>
        </li>
      ))}
    </ul>
  )
}

function Edit({ reply, onClose }: { reply: CannedReply | null; onClose: () => void }) {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const [draft, setDraft] = useState<CannedReplyDraft>(
    reply ? { shortcut: reply.shortcut, title: reply.title, text: reply.text } : EMPTY,
  )
  const [asking, setAsking] = useState(false)
  const done = async () => {
    await queries.invalidateQueries({ queryKey: options.queryKey })
    onClose()
  }
  const save = useMutation({
    mutationFn: async () =>
      reply
        ? cannedRepliesChange({ path: { reply_id: reply.id }, body: draft })
        : cannedRepliesAdd({ body: draft }),
    onSuccess: done,
  })
  const remove = useMutation({
    mutationFn: async (id: string) => cannedRepliesRemove({ path: { reply_id: id } }),
    onSuccess: done,
    onError: (error) => toast.error(i18n._(messageOf(error))),
  })
  return (
    <Dialog open onClose={onClose} title={reply ? t`Cambiar la respuesta` : t`Una respuesta nueva`}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          save.mutate()
        }}
      >
        <div className="grid gap-4 sm:grid-cols-[1fr_2fr]">
          <Field label={t`Atajo`} hint={t`Sin espacios`}>
            <Input
              required
              maxLength={40}
              pattern="[^\s\/]+"
              value={draft.shortcut}
              onChange={(event) => setDraft({ ...draft, shortcut: event.target.value })}
            />
          </Field>
          <Field label={t`Título`}>
            <Input
              required
              maxLength={100}
              value={draft.title}
              onChange={(event) => setDraft({ ...draft, title: event.target.value })}
            />
          </Field>
        </div>
        <Field
          label={t`Texto`}
          hint={t`Donde escribas ${'{nombre}'} irá el nombre del cliente.`}
          error={save.error && i18n._(messageOf(save.error))}
        >
          <Textarea
            required
            rows={6}
            maxLength={4000}
            value={draft.text}
            onChange={(event) => setDraft({ ...draft, text: event.target.value })}
          />
        </Field>
        <div className="flex justify-between gap-2">
          {reply ? <Button look="danger" onClick={() => setAsking(true)}>{t`Borrar`}</Button> : <span />}
          <Button type="submit" look="primary" busy={save.isPending}>
            {t`Guardar`}
          </Button>
        </div>
      </form>
      {reply && (
        <Confirm
          open={asking}
          onClose={() => setAsking(false)}
          onConfirm={() => remove.mutate(reply.id)}
          title={t`¿Borrar esta respuesta?`}
          confirm={t`Borrar`}
          busy={remove.isPending}
          danger
        >
          {t`Nadie podrá volver a usarla. Los mensajes ya enviados se quedan como están.`}
        </Confirm>
      )}
    </Dialog>
  )
}
