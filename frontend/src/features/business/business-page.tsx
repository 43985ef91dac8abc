import { Trans, useLingui } from '@lingui/react/macro'
import { useBlocker } from '@tanstack/react-router'
import { Eye } from 'lucide-react'
import { useState } from 'react'
import { messageOf } from '@/session/messages'
import { codeOf } from '@/session/problem'
import { useCan } from '@/session/session'
import { Button } from '@/ui/button'
import { Confirm, Drawer } from '@/ui/dialog'
import { Pane } from '@/ui/error-pane'
import { useShortcut } from '@/ui/keys'
import { Page } from '@/ui/page'
import { toast } from '@/ui/toast'
import { ClashNotice } from './clash-notice'
import { isComplete } from './complete'
import { Facts } from './facts'
import { HoursSection } from './hours-section'
import { Identity } from './identity'
import { Instructions } from './instructions'
import { PauseSwitch } from './pause-switch'
import { Policy } from './policy'
import { CHANGED, useProfile } from './use-profile'

export function BusinessPage() {
  const { t } = useLingui()
  return (
    <Page
      wide
      title={t`Negocio`}
      description={t`Por quién habla el asistente, a quién responde y qué puede decir.`}
    >
      <Pane>
        <Profile />
      </Pane>
    </Page>
  )
}

function Profile() {
  const { t } = useLingui()
  const mayEdit = useCan('business:edit')
  const profile = useProfile()
  const { draft, change, isDirty } = profile
  const [isPreviewOpen, setPreviewOpen] = useState(false)
  const parts = { profile: draft, change, readOnly: !mayEdit }
  return (
    <div className="grid gap-6 xl:grid-cols-[minmax(0,1fr)_25rem]">
      <div className="min-w-0">
        <PauseSwitch
          paused={profile.stored.profile.paused}
          busy={profile.pause.isPending}
          error={profile.pause.error}
          onChange={mayEdit ? profile.pause.mutate : null}
        />
        {profile.clash && (
          <ClashNotice clash={profile.clash} onKeep={profile.keepMine} onTake={profile.takeTheirs} />
        )}
        <fieldset disabled={!mayEdit} className="min-w-0">
          <legend className="sr-only">{t`Perfil del negocio`}</legend>
          <Identity {...parts} />
          <Policy {...parts} />
          <HoursSection {...parts} />
          <Facts {...parts} />
        </fieldset>
        {isDirty && <SaveBar {...profile} onPreview={() => setPreviewOpen(true)} />}
        {!isDirty && (
          <Button className="xl:hidden" onClick={() => setPreviewOpen(true)}>
            <Eye aria-hidden />
            {t`Ver las instrucciones`}
          </Button>
        )}
      </div>
      <aside aria-label={t`Instrucciones`} className="max-xl:hidden">
        <div className="sticky top-0">
          <Instructions profile={draft} />
        </div>
      </aside>
      <Drawer open={isPreviewOpen} onClose={() => setPreviewOpen(false)} title={t`Lo que recibe el modelo`}>
        <Instructions profile={draft} />
      </Drawer>
      <LeaveGuard isDirty={isDirty} />
    </div>
  )
}

type SaveBarProps = ReturnType<typeof useProfile> & { onPreview: () => void }

function SaveBar({ draft, discard, save, onPreview }: SaveBarProps) {
  const { t, i18n } = useLingui()
  const isSound = isComplete(draft)
  const store = () => {
    if (!isSound) return
    save.mutate(draft, {
      onSuccess: () => toast.success(t`Guardado. Rige desde el próximo mensaje.`),
      onError: (error) => {
        if (codeOf(error) !== CHANGED) toast.error(i18n._(messageOf(error)))
      },
    })
  }
  useShortcut({ keys: 'mod+s', label: t`Guardar`, group: t`Negocio`, run: store })
  return (
    <div className="sticky bottom-3 z-20 flex flex-wrap items-center gap-2 rounded-xl border border-line-strong bg-raised px-4 py-3 shadow-float">
      <p className="min-w-40 flex-1 text-sm">
        {isSound ? t`Tienes cambios sin guardar.` : t`Hay algo que corregir antes de guardar.`}
      </p>
      <Button look="quiet" className="xl:hidden" onClick={onPreview}>
        <Eye aria-hidden />
        {t`Instrucciones`}
      </Button>
      <Button onClick={discard}>{t`Descartar`}</Button>
      <Button look="primary" disabled={!isSound} busy={save.isPending} onClick={store}>
        {t`Guardar`}
      </Button>
    </div>
  )
}

/** Asks before what was not saved is left behind, by a link or by closing the tab. */
function LeaveGuard({ isDirty }: { isDirty: boolean }) {
  const { t } = useLingui()
  const leaving = useBlocker({
    shouldBlockFn: ({ current, next }) => isDirty && current.pathname !== next.pathname,
    enableBeforeUnload: isDirty,
    withResolver: true,
  })
  return (
    <Confirm
      open={leaving.status === 'blocked'}
      onClose={() => leaving.reset?.()}
      onConfirm={() => leaving.proceed?.()}
      title={t`¿Salir sin guardar?`}
      confirm={t`Salir sin guardar`}
      danger
    >
      <Trans>Tus cambios en el perfil del negocio se perderán.</Trans>
    </Confirm>
  )
}
