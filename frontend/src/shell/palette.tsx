import { Autocomplete } from '@base-ui/react/autocomplete'
import { Dialog } from '@base-ui/react/dialog'
import { useLingui } from '@lingui/react/macro'
import { useNavigate } from '@tanstack/react-router'
import { Search } from 'lucide-react'
import { useMemo } from 'react'
import { fold } from '@/lib/fold'
import { changePreferences } from '@/lib/preferences'
import { Kbd } from '@/ui/kbd'
import { useShortcuts } from '@/ui/keys'
import { ITEM } from '@/ui/select'
import { useLeave } from './leave'
import { useNav } from './navigation'

type Command = { id: string; label: string; group: string; keys?: string; run: () => void }

/** Every action in reach, by its name. */
export function Palette({ onClose, openKeys }: { onClose: () => void; openKeys: () => void }) {
  const { t } = useLingui()
  const commands = useCommands(openKeys)
  const run = (command: Command) => {
    onClose()
    command.run()
  }
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-40 bg-black/40" />
        <Dialog.Popup
          aria-label={t`Órdenes`}
          className="fixed top-[12dvh] left-1/2 z-40 flex max-h-[70dvh] w-[min(36rem,calc(100vw-1.5rem))] -translate-x-1/2 flex-col overflow-hidden rounded-xl border border-line bg-surface shadow-float outline-none"
        >
          <Autocomplete.Root
            open
            inline
            items={commands}
            autoHighlight="always"
            itemToStringValue={(command: Command) => command.label}
            filter={(command: Command, query) => fold(command.label).includes(fold(query))}
          >
            <div className="flex items-center gap-2 border-line border-b px-4">
              <Search aria-hidden className="size-4.5 text-muted" />
              <Autocomplete.Input
                aria-label={t`Buscar una orden`}
                placeholder={t`Escribe lo que quieres hacer…`}
                className="h-12 flex-1 bg-transparent outline-none placeholder:text-muted"
              />
            </div>
            <Autocomplete.Empty className="px-4 text-muted text-sm not-empty:py-6">{t`Nada se llama así.`}</Autocomplete.Empty>
            <Autocomplete.List className="min-h-0 overflow-y-auto p-1.5">
              {(command: Command) => (
                <Autocomplete.Item
                  key={command.id}
                  value={command}
                  onClick={() => run(command)}
                  className={ITEM}
                >
                  <span className="flex-1 truncate">{command.label}</span>
                  <span className="text-muted text-xs">{command.group}</span>
                  {command.keys && <Kbd keys={command.keys} />}
                </Autocomplete.Item>
              )}
            </Autocomplete.List>
          </Autocomplete.Root>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

function useCommands(openKeys: () => void): Command[] {
  const { t, i18n } = useLingui()
  const navigate = useNavigate()
  const leave = useLeave()
  const nav = useNav()
  const shortcuts = useShortcuts()
  return useMemo(() => {
    const goTo = t`Ir a`
    const look = t`Aspecto`
    const places = nav.map((item) => ({
      id: item.to,
      label: i18n._(item.label),
      group: goTo,
      keys: item.keys,
      run: () => void navigate({ to: item.to }),
    }))
    const here = shortcuts
      .filter((one) => !one.keys.startsWith('g ') && one.keys !== 'mod+k' && one.keys !== '?')
      .map((one) => ({ id: one.keys, label: one.label, group: one.group, keys: one.keys, run: one.run }))
    return [
      ...here,
      ...places,
      { id: 'dark', label: t`Tema oscuro`, group: look, run: () => changePreferences({ theme: 'dark' }) },
      { id: 'light', label: t`Tema claro`, group: look, run: () => changePreferences({ theme: 'light' }) },
      {
        id: 'system',
        label: t`Tema del sistema`,
        group: look,
        run: () => changePreferences({ theme: 'system' }),
      },
      { id: 'es', label: 'Español', group: t`Idioma`, run: () => changePreferences({ language: 'es' }) },
      { id: 'en', label: 'English', group: t`Idioma`, run: () => changePreferences({ language: 'en' }) },
      { id: 'pt', label: 'Português', group: t`Idioma`, run: () => changePreferences({ language: 'pt-BR' }) },
      { id: 'keys', label: t`Ver los atajos`, group: t`Ayuda`, keys: '?', run: openKeys },
      { id: 'leave', label: t`Salir`, group: t`Sesión`, run: leave },
    ]
  }, [t, i18n, nav, shortcuts, navigate, leave, openKeys])
}
