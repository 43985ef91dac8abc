import { useLingui } from '@lingui/react/macro'
import { UsersRound } from 'lucide-react'
import type { BusinessProfile } from '@/api'
import { list } from '@/lib/format'
import { Button } from '@/ui/button'
import type { Clash } from './use-profile'
import { PARTS } from './words'

type ClashNoticeProps = { clash: Clash; onKeep: () => void; onTake: () => void }

/** Somebody else stored the profile meanwhile; nothing of mine is lost, and nothing of theirs is overwritten unseen. */
export function ClashNotice({ clash, onKeep, onTake }: ClashNoticeProps) {
  const { t, i18n } = useLingui()
  const names = (parts: (keyof BusinessProfile)[]) => list(parts.map((part) => i18n._(PARTS[part])))
  return (
    <div
      role="alert"
      className="mb-5 flex gap-3 rounded-xl border border-note-line bg-note p-4 text-note-ink text-sm"
    >
      <UsersRound aria-hidden className="mt-0.5 size-5 shrink-0" />
      <div className="min-w-0 flex-1">
        <p className="font-semibold">{t`Otra persona guardó el perfil mientras lo editabas`}</p>
        <p className="mt-0.5">{t`Cambió: ${names(clash.theirs)}. Lo tuyo sigue aquí, sin guardar.`}</p>
        {clash.both.length > 0 && (
          <p className="mt-0.5">{t`Los dos cambiasteis: ${names(clash.both)}. ¿Con qué te quedas?`}</p>
        )}
        <div className="mt-2.5 flex flex-wrap gap-2">
          <Button size="sm" onClick={onKeep}>
            {clash.both.length > 0 ? t`Con lo mío` : t`Entendido`}
          </Button>
          {clash.both.length > 0 && (
            <Button size="sm" onClick={onTake}>
              {t`Con lo suyo`}
            </Button>
          )}
        </div>
      </div>
    </div>
  )
}
