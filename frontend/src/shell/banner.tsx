import { useLingui } from '@lingui/react/macro'
import { WifiOff } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useLiveStatus } from '@/live/live'

const PATIENCE_MS = 3000

/** Says that nothing new arrives, once the live connection has been away for three seconds. */
export function OfflineBanner() {
  const { t } = useLingui()
  const away = useLiveStatus() !== 'open'
  const [shown, setShown] = useState(false)
  useEffect(() => {
    if (!away) return setShown(false)
    const timer = setTimeout(() => setShown(true), PATIENCE_MS)
    return () => clearTimeout(timer)
  }, [away])
  return (
    <div role="status">
      {shown && (
        <p className="flex items-center justify-center gap-2 bg-warn-soft px-3 py-1.5 font-medium text-sm text-warn">
          <WifiOff aria-hidden className="size-4" />
          {t`Sin conexión en vivo; se reintenta. Lo que escribas no se pierde.`}
        </p>
      )}
    </div>
  )
}
