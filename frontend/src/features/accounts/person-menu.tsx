import { Trans, useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import {
  Ban,
  CircleCheck,
  KeyRound,
  LogOut,
  MonitorSmartphone,
  MoreHorizontal,
  ShieldOff,
} from 'lucide-react'
import { useState } from 'react'
import { type Person, peopleDisable, peopleEnable, peopleEndSessions, peopleResetPassword } from '@/api'
import { peoplePeopleInfiniteQueryKey } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { IconButton } from '@/ui/button'
import { Confirm } from '@/ui/dialog'
import { Menu, MenuItem, MenuSeparator } from '@/ui/menu'
import { toast } from '@/ui/toast'
import { OneTimeLink } from './one-time-link'
import { PersonSessions } from './person-sessions'

type Doing = 'reset' | 'reset_factor' | 'end_sessions' | 'disable' | 'sessions'

/** What may be done about one person. One cannot lock oneself out here. */
export function PersonMenu({ person, self }: { person: Person; self: boolean }) {
  const { t, i18n } = useLingui()
  const queries = useQueryClient()
  const [doing, setDoing] = useState<Doing | null>(null)
  const settled = {
    onError: (error: Error) => toast.error(i18n._(messageOf(error))),
    onSettled: () => queries.invalidateQueries({ queryKey: peoplePeopleInfiniteQueryKey() }),
  }
  const path = { user_id: person.id }
  const reset = useMutation({
    mutationFn: (remove_second_factor: boolean) =>
      peopleResetPassword({ path, body: { remove_second_factor } }),
    ...settled,
  })
  const endSessions = useMutation({
    mutationFn: () => peopleEndSessions({ path }),
    onSuccess: () => toast.success(t`Sesiones de ${person.username} cerradas`),
    ...settled,
  })
  const disable = useMutation({ mutationFn: () => peopleDisable({ path }), ...settled })
  const enable = useMutation({ mutationFn: () => peopleEnable({ path }), ...settled })
  const close = () => setDoing(null)
  if (self) return null
  return (
    <>
      <Menu
        trigger={
          <IconButton label={t`Acciones para ${person.username}`}>
            <MoreHorizontal aria-hidden />
          </IconButton>
        }
      >
        <MenuItem icon={<MonitorSmartphone aria-hidden />} onSelect={() => setDoing('sessions')}>
          {t`Ver sus sesiones`}
        </MenuItem>
        <MenuItem icon={<LogOut aria-hidden />} onSelect={() => setDoing('end_sessions')}>
          {t`Cerrar sus sesiones`}
        </MenuItem>
        <MenuItem icon={<KeyRound aria-hidden />} onSelect={() => setDoing('reset')}>
          {person.invited ? t`Renovar la invitación` : t`Enlace para nueva contraseña`}
        </MenuItem>
        {person.second_factor && (
          <MenuItem icon={<ShieldOff aria-hidden />} onSelect={() => setDoing('reset_factor')}>
            {t`Quitar su segundo factor`}
          </MenuItem>
        )}
        <MenuSeparator />
        {person.disabled_at ? (
          <MenuItem icon={<CircleCheck aria-hidden />} onSelect={() => enable.mutate()}>
            {t`Activar`}
          </MenuItem>
        ) : (
          <MenuItem icon={<Ban aria-hidden />} danger onSelect={() => setDoing('disable')}>
            {t`Desactivar`}
          </MenuItem>
        )}
      </Menu>
      {doing === 'sessions' && <PersonSessions person={person} onClose={close} />}
      <Confirm
        open={doing === 'end_sessions'}
        onClose={close}
        onConfirm={() => endSessions.mutate(undefined, { onSettled: close })}
        busy={endSessions.isPending}
        title={t`¿Cerrar las sesiones de ${person.username}?`}
        confirm={t`Cerrar sesiones`}
      >
        <Trans>Tendrá que volver a entrar en todos sus equipos.</Trans>
      </Confirm>
      <Confirm
        open={doing === 'disable'}
        onClose={close}
        onConfirm={() => disable.mutate(undefined, { onSettled: close })}
        busy={disable.isPending}
        danger
        title={t`¿Desactivar a ${person.username}?`}
        confirm={t`Desactivar`}
      >
        <Trans>Sus sesiones y sus claves de API dejan de funcionar ahora. Puedes activarla de nuevo.</Trans>
      </Confirm>
      <Confirm
        open={doing === 'reset' || doing === 'reset_factor'}
        onClose={close}
        onConfirm={() => reset.mutate(doing === 'reset_factor', { onSettled: close })}
        busy={reset.isPending}
        title={t`¿Crear un enlace para ${person.username}?`}
        confirm={t`Crear enlace`}
      >
        {doing === 'reset_factor' ? (
          <Trans>
            Con el enlace elegirá otra contraseña, y su segundo factor se quita. Los enlaces anteriores dejan
            de valer.
          </Trans>
        ) : (
          <Trans>Con el enlace elegirá otra contraseña. Los enlaces anteriores dejan de valer.</Trans>
        )}
      </Confirm>
      {reset.data && <OneTimeLink link={reset.data.data} onClose={() => reset.reset()} />}
    </>
  )
}
