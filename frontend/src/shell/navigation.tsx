import { useLingui } from '@lingui/react/macro'
import { Link, useMatch } from '@tanstack/react-router'
import { Command, LogOut, Menu as MenuIcon } from 'lucide-react'
import { useState } from 'react'
import { cn } from '@/lib/cn'
import { useMe } from '@/session/session'
import { Drawer } from '@/ui/dialog'
import { Logo } from '@/ui/logo'
import { Tooltip } from '@/ui/tooltip'
import { useLeave } from './leave'
import { NAV, type NavItem } from './nav'

export function useNav(): readonly NavItem[] {
  const { permissions } = useMe()
  return NAV.filter((item) => permissions.includes(item.needs))
}

type BarProps = { openPalette: () => void }

/** The rail at the left of a wide window. */
export function SideBar({ openPalette }: BarProps) {
  const { t } = useLingui()
  const items = useNav()
  const leave = useLeave()
  return (
    <nav
      aria-label={t`Principal`}
      className="flex h-full w-15 shrink-0 flex-col items-center gap-1 bg-rail py-3 max-md:hidden"
    >
      <Logo className="mb-3 size-8" />
      {items
        .filter((item) => item.group === 'work')
        .map((item) => (
          <RailLink key={item.to} item={item} />
        ))}
      <span aria-hidden className="my-1.5 h-px w-7 bg-rail-line first-of-type:hidden" />
      <div className="flex min-h-0 flex-1 flex-col items-center gap-1 overflow-y-auto [scrollbar-width:none]">
        {items
          .filter((item) => item.group === 'setup')
          .map((item) => (
            <RailLink key={item.to} item={item} />
          ))}
      </div>
      <RailButton label={t`Órdenes`} keys="mod+k" onClick={openPalette}>
        <Command aria-hidden />
      </RailButton>
      {items
        .filter((item) => item.group === 'own')
        .map((item) => (
          <RailLink key={item.to} item={item} />
        ))}
      <RailButton label={t`Salir`} onClick={leave}>
        <LogOut aria-hidden />
      </RailButton>
    </nav>
  )
}

const RAIL =
  'relative grid size-10 shrink-0 place-items-center rounded-lg text-rail-ink transition-colors hover:bg-rail-active-bg hover:text-rail-active focus-visible:outline-rail-mark [&_svg]:size-5'

function RailLink({ item }: { item: NavItem }) {
  const { i18n } = useLingui()
  const label = i18n._(item.label)
  return (
    <Tooltip label={label} keys={item.keys}>
      <Link
        to={item.to}
        aria-label={label}
        className={RAIL}
        activeProps={{
          className:
            'bg-rail-active-bg text-rail-active before:absolute before:-left-2.5 before:h-5 before:w-1 before:rounded-r before:bg-rail-mark',
        }}
      >
        <item.icon aria-hidden />
      </Link>
    </Tooltip>
  )
}

function RailButton(props: { label: string; keys?: string; onClick: () => void; children: React.ReactNode }) {
  return (
    <Tooltip label={props.label} keys={props.keys}>
      <button type="button" aria-label={props.label} onClick={props.onClick} className={RAIL}>
        {props.children}
      </button>
    </Tooltip>
  )
}

/** The bar at the bottom of a phone: the work, and a drawer with the rest. */
export function BottomBar({ openPalette }: BarProps) {
  const { t, i18n } = useLingui()
  const [open, setOpen] = useState(false)
  const items = useNav()
  const leave = useLeave()
  const inThread = useMatch({ from: '/_app/inbox/$conversationId', shouldThrow: false }) !== undefined
  if (inThread) return null // the thread has a way back of its own, and needs the room
  const first = items.filter((item) => item.group === 'work').slice(0, 4)
  const rest = items.filter((item) => !first.includes(item))
  return (
    <nav
      aria-label={t`Principal`}
      className="flex shrink-0 border-rail-line border-t bg-rail pb-[env(safe-area-inset-bottom)] md:hidden"
    >
      {first.map((item) => (
        <Link
          key={item.to}
          to={item.to}
          className={BAR}
          activeProps={{ className: 'text-rail-active [&_svg]:text-rail-mark' }}
        >
          <item.icon aria-hidden />
          {i18n._(item.label)}
        </Link>
      ))}
      <button type="button" className={BAR} onClick={() => setOpen(true)}>
        <MenuIcon aria-hidden />
        {t`Más`}
      </button>
      <Drawer open={open} onClose={() => setOpen(false)} title={t`Más`}>
        <ul className="flex flex-col">
          {rest.map((item) => (
            <li key={item.to}>
              <Link to={item.to} onClick={() => setOpen(false)} className={MORE}>
                <item.icon aria-hidden />
                {i18n._(item.label)}
              </Link>
            </li>
          ))}
          <li>
            <button
              type="button"
              className={MORE}
              onClick={() => {
                setOpen(false)
                openPalette()
              }}
            >
              <Command aria-hidden />
              {t`Órdenes`}
            </button>
          </li>
          <li>
            <button type="button" className={cn(MORE, 'text-danger')} onClick={leave}>
              <LogOut aria-hidden />
              {t`Salir`}
            </button>
          </li>
        </ul>
      </Drawer>
    </nav>
  )
}

const BAR =
  'flex min-h-14 min-w-0 flex-1 flex-col items-center justify-center gap-0.5 truncate text-[0.7rem] text-rail-ink [&_svg]:size-5.5'
const MORE =
  'flex min-h-12 w-full items-center gap-3 rounded-lg px-2 text-left hover:bg-sunken [&_svg]:size-5 [&_svg]:text-muted'
