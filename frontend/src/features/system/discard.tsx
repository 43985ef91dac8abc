import { useLingui } from '@lingui/react/macro'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { type DeadLetter, operationsDiscard } from '@/api'
import { messageOf } from '@/session/messages'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { Field, Input } from '@/ui/field'
import { useLettersChanged } from './queries'
import { LETTERS } from './words'

/** Put a dead letter away, for a reason that the audit trail keeps. */
export function Discard({ letter, onClose }: { letter: DeadLetter; onClose: () => void }) {
  const { t, i18n } = useLingui()
  const changed = useLettersChanged()
  const [reason, setReason] = useState('')
  const discard = useMutation({
    mutationFn: () =>
      operationsDiscard({ path: { kind: letter.kind, letter_id: letter.id }, body: { reason } }),
    onSuccess: async () => {
      await changed()
      onClose()
    },
  })
  return (
    <Dialog open onClose={onClose} title={t`Descartar`} description={i18n._(LETTERS[letter.kind].name)}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          discard.mutate()
        }}
      >
        <Field
          label={t`¿Por qué?`}
          hint={t`Se guarda en la auditoría, con tu nombre. Deja de contar como pendiente y no se vuelve a intentar.`}
          error={discard.error && i18n._(messageOf(discard.error))}
        >
          <Input
            required
            autoFocus
            maxLength={200}
            pattern=".*\S.*"
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        </Field>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t`Cancelar`}</Button>
          <Button type="submit" look="danger" busy={discard.isPending}>
            {t`Descartar`}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
