import { useLingui } from '@lingui/react/macro'
import { usePreferences } from '@/lib/preferences'
import { Dialog } from '@/ui/dialog'
import { Kbd } from '@/ui/kbd'
import { useShortcuts } from '@/ui/keys'

/** Every key that works where one is now. */
export function KeySheet({ onClose }: { onClose: () => void }) {
  const { t } = useLingui()
  const groups = Map.groupBy(useShortcuts(), (one) => one.group)
  const { shortcuts_enabled } = usePreferences()
  return (
    <Dialog
      open
      wide
      onClose={onClose}
      title={t`Atajos de teclado`}
      description={
        shortcuts_enabled ? undefined : t`Los atajos de una sola tecla están apagados en Mi cuenta.`
      }
    >
      <div className="columns-1 gap-8 md:columns-2">
        {[...groups].map(([group, shortcuts]) => (
          <section key={group} className="mb-4 break-inside-avoid">
            <h3 className="mb-1 font-semibold text-muted text-xs">{group}</h3>
            <dl className="text-sm">
              {shortcuts.map((one) => (
                <div key={one.keys} className="flex items-center justify-between gap-4 py-1">
                  <dt>{one.label}</dt>
                  <dd>
                    <Kbd keys={one.keys} />
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  )
}
