import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Ellipsis, Pencil, Trash2, Wallet } from 'lucide-react'
import { useState } from 'react'
import { type ProviderRoute, providersRemove } from '@/api'
import { providersRoutesQueryKey } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { IconButton } from '@/ui/button'
import { Confirm } from '@/ui/dialog'
import { Menu, MenuItem, MenuSeparator } from '@/ui/menu'
import { toast } from '@/ui/toast'
import { ChangeProvider } from './change-provider'
import { DailyLimit } from './daily-limit'
import { providerName } from './names'

type CardMenuProps = { route: ProviderRoute; onLimit: (usd: string | null) => void }

/** What is done seldom: change it, limit its money, remove it. Those of the server's settings can only be limited. */
export function CardMenu({ route, onLimit }: CardMenuProps) {
  const { t } = useLingui()
  const [open, setOpen] = useState<'change' | 'limit' | 'remove' | null>(null)
  const close = () => setOpen(null)
  const name = `${providerName(route.provider)} ${route.model}`
  const isOurs = route.origin === 'stored'
  return (
    <>
      <Menu
        trigger={
          <IconButton label={t`Más sobre ${name}`}>
            <Ellipsis aria-hidden />
          </IconButton>
        }
      >
        {isOurs && (
          <MenuItem icon={<Pencil aria-hidden />} onSelect={() => setOpen('change')}>
            {t`Cambiar…`}
          </MenuItem>
        )}
        <MenuItem icon={<Wallet aria-hidden />} onSelect={() => setOpen('limit')}>
          {t`Límite de gasto diario…`}
        </MenuItem>
        {isOurs && (
          <>
            <MenuSeparator />
            <MenuItem danger icon={<Trash2 aria-hidden />} onSelect={() => setOpen('remove')}>
              {t`Quitar…`}
            </MenuItem>
          </>
        )}
      </Menu>
      {open === 'change' && <ChangeProvider route={route} onClose={close} />}
      {open === 'limit' && <DailyLimit route={route} onClose={close} onSave={onLimit} />}
      {open === 'remove' && <Remove route={route} name={name} onClose={close} />}
    </>
  )
}

function Remove({ route, name, onClose }: { route: ProviderRoute; name: string; onClose: () => void }) {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const remove = useMutation({
    mutationFn: () => providersRemove({ path: { route_id: route.route_id } }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: providersRoutesQueryKey() })
      onClose()
    },
    onError: (error) => toast.error(i18n._(messageOf(error))),
  })
  return (
    <Confirm
      open
      danger
      onClose={onClose}
      onConfirm={() => remove.mutate()}
      busy={remove.isPending}
      title={t`¿Quitar ${name}?`}
      confirm={t`Quitar`}
    >
      {t`Deja de responder en unos segundos y su clave se borra. Lo que respondió se conserva.`}
    </Confirm>
  )
}
