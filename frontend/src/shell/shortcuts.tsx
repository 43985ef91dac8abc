import { useLingui } from '@lingui/react/macro'
import { useNavigate } from '@tanstack/react-router'
import { useShortcut } from '@/ui/keys'
import type { NavItem } from './nav'
import { useNav } from './navigation'

/** The keys that work on every screen. */
export function ShellShortcuts({ openPalette, openKeys }: { openPalette: () => void; openKeys: () => void }) {
  const { t } = useLingui()
  const group = t`En todas partes`
  useShortcut({ keys: 'mod+k', label: t`Buscar una orden`, group, run: openPalette })
  useShortcut({ keys: '?', label: t`Ver los atajos`, group, run: openKeys })
  return useNav().map((item) => item.keys && <GoTo key={item.to} item={item} keys={item.keys} />)
}

function GoTo({ item, keys }: { item: NavItem; keys: string }) {
  const { t, i18n } = useLingui()
  const navigate = useNavigate()
  useShortcut({ keys, label: i18n._(item.label), group: t`Ir a`, run: () => void navigate({ to: item.to }) })
  return null
}
