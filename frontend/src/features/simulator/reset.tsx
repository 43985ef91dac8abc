import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { simulatorReset } from '@/api'
import { simulatorFaultsQueryKey, simulatorPeopleQueryKey } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { Button } from '@/ui/button'
import { Confirm } from '@/ui/dialog'
import { toast } from '@/ui/toast'

/** Begin with an empty simulator. */
export function Reset() {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const [isAsking, setAsking] = useState(false)
  const reset = useMutation({
    mutationFn: () => simulatorReset(),
    onSuccess: () => setAsking(false),
    onError: (error) => toast.error(i18n._(messageOf(error))),
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: simulatorPeopleQueryKey() }),
        queries.invalidateQueries({ queryKey: simulatorFaultsQueryKey() }),
      ]),
  })
  return (
    <>
      <Button look="quiet" size="sm" onClick={() => setAsking(true)}>
        {t`Empezar de cero`}
      </Button>
      <Confirm
        open={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={() => reset.mutate()}
        title={t`¿Empezar de cero?`}
        confirm={t`Empezar de cero`}
        busy={reset.isPending}
        danger
      >
        {t`Se borran los clientes del simulador y sus teléfonos. Las conversaciones de la bandeja se quedan.`}
      </Confirm>
    </>
  )
}
