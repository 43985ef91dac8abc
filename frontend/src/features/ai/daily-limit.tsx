import { useLingui } from '@lingui/react/macro'
import { useState } from 'react'
import type { ProviderRoute } from '@/api'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { Field, Input } from '@/ui/field'
import { providerName } from './names'

type DailyLimitProps = { route: ProviderRoute; onClose: () => void; onSave: (usd: string | null) => void }

/** The dollars that a route may cost in a day; with nothing written there is no limit. */
export function DailyLimit({ route, onClose, onSave }: DailyLimitProps) {
  const { t } = useLingui()
  const [usd, setUsd] = useState(route.daily_limit_usd ?? '')
  return (
    <Dialog
      open
      onClose={onClose}
      title={t`Límite de gasto diario`}
      description={`${providerName(route.provider)} ${route.model}`}
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          onSave(usd === '' ? null : usd)
          onClose()
        }}
      >
        <Field
          label={t`Dólares al día`}
          hint={t`Al llegar al límite responde el siguiente de la lista, hasta la medianoche del negocio. Vacío: sin límite.`}
        >
          <Input
            type="number"
            inputMode="decimal"
            min="0.01"
            max="1000000"
            step="any"
            autoFocus
            value={usd}
            onChange={(event) => setUsd(event.target.value)}
          />
        </Field>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t`Cancelar`}</Button>
          <Button type="submit" look="primary">{t`Guardar`}</Button>
        </div>
      </form>
    </Dialog>
  )
}
