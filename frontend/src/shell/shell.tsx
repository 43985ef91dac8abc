import { useQueryClient } from '@tanstack/react-query'
import { lazy, type ReactNode, Suspense, useEffect, useState } from 'react'
import { LiveProvider } from '@/live/live'
import { syncPreferences } from '@/session/preferences-sync'
import { listenForKeys } from '@/ui/keys'
import { OfflineBanner } from './banner'
import { BottomBar, SideBar } from './navigation'
import { ShellShortcuts } from './shortcuts'

const Palette = lazy(() => import('./palette').then(({ Palette }) => ({ default: Palette })))
const KeySheet = lazy(() => import('./key-sheet').then(({ KeySheet }) => ({ default: KeySheet })))

/** What surrounds every screen of somebody who is signed in. */
export function Shell({ children }: { children: ReactNode }) {
  const [open, setOpen] = useState<'palette' | 'keys' | null>(null)
  const queries = useQueryClient()
  useEffect(listenForKeys, [])
  useEffect(() => syncPreferences(queries), [queries])
  return (
    <LiveProvider>
      <ShellShortcuts openPalette={() => setOpen('palette')} openKeys={() => setOpen('keys')} />
      <div className="flex h-dvh max-md:flex-col">
        <SideBar openPalette={() => setOpen('palette')} />
        <div className="flex min-h-0 min-w-0 flex-1 flex-col">
          <OfflineBanner />
          <main className="min-h-0 flex-1">{children}</main>
        </div>
        <BottomBar openPalette={() => setOpen('palette')} />
      </div>
      <Suspense>
        {open === 'palette' && <Palette onClose={() => setOpen(null)} openKeys={() => setOpen('keys')} />}
        {open === 'keys' && <KeySheet onClose={() => setOpen(null)} />}
      </Suspense>
    </LiveProvider>
  )
}
