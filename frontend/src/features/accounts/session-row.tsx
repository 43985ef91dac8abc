import { useLingui } from '@lingui/react/macro'
import { Laptop, Smartphone } from 'lucide-react'
import type { Session } from '@/api'
import { Badge } from '@/ui/badge'
import { Button } from '@/ui/button'
import { DateTime } from '@/ui/date-time'
import { device } from './device'

export function SessionRow({ session, busy, onEnd }: { session: Session; busy: boolean; onEnd: () => void }) {
  const { t } = useLingui()
  const { name, isPhone } = device(session.user_agent)
  const Icon = isPhone ? Smartphone : Laptop
  return (
    <li className="flex items-center gap-3 py-2.5">
      <Icon aria-hidden className="size-5 shrink-0 text-muted" />
      <div className="min-w-0 flex-1">
        <p className="truncate text-sm">{name ?? t`Un programa`}</p>
        <p className="truncate text-muted text-xs">
          {session.address} · <DateTime at={session.last_used_at} look="relative" />
        </p>
      </div>
      {session.current ? (
        <Badge tone="good">{t`Esta`}</Badge>
      ) : (
        <Button size="sm" disabled={busy} onClick={onEnd}>
          {t`Cerrar`}
        </Button>
      )}
    </li>
  )
}
