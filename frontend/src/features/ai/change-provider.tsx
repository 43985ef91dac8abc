import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { type ProviderChange, type ProviderRoute, providersChange } from '@/api'
import { providersRoutesQueryKey } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { toast } from '@/ui/toast'
import { type Kind, providerName } from './names'
import { type Draft, isAboutField, numberOrNull, ProviderFields } from './provider-fields'

/** Change what was stored about a provider. A key that is not written again stays as it is. */
export function ChangeProvider({ route, onClose }: { route: ProviderRoute; onClose: () => void }) {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const before = draftOf(route)
  const [draft, setDraft] = useState<Draft>(before)
  const change = useMutation({
    mutationFn: () => providersChange({ path: { route_id: route.route_id }, body: changed(before, draft) }),
    onSuccess: async ({ data }) => {
      await queries.invalidateQueries({ queryKey: providersRoutesQueryKey() })
      if (data.needs_key)
        toast.info(t`La dirección es otra, así que la clave anterior se borró. Añade la nueva.`)
      onClose()
    },
  })
  const failure = change.error && !isAboutField(change.error) ? i18n._(messageOf(change.error)) : null
  return (
    <Dialog open onClose={onClose} title={t`Cambiar ${providerName(route.provider)}`}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          change.mutate()
        }}
      >
        <ProviderFields
          isChange
          kind={route.provider as Kind}
          draft={draft}
          error={change.error}
          keptKey={route.key_last_four}
          onChange={(what) => setDraft((shown) => ({ ...shown, ...what }))}
        />
        {failure && (
          <p role="alert" className="text-danger text-sm">
            {failure}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t`Cancelar`}</Button>
          <Button type="submit" look="primary" busy={change.isPending}>
            {t`Guardar`}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

const draftOf = (route: ProviderRoute): Draft => ({
  model: route.model,
  key: '',
  address: route.base_url,
  perMinute: route.requests_per_minute?.toString() ?? '',
  perDay: route.requests_per_day?.toString() ?? '',
})

/** Only what was touched, so that what the form does not show exactly (a default, a learned limit) stays as it is. */
function changed(before: Draft, after: Draft): ProviderChange {
  const is = (name: keyof Draft) => before[name] !== after[name]
  return {
    ...(is('model') && { model: after.model }),
    ...(is('key') && { api_key: after.key }),
    ...(is('address') && { base_url: after.address || null }),
    ...(is('perMinute') && { requests_per_minute: numberOrNull(after.perMinute) }),
    ...(is('perDay') && { requests_per_day: numberOrNull(after.perDay) }),
  }
}
