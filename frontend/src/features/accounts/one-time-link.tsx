import { Trans, useLingui } from '@lingui/react/macro'
import type { Link } from '@/api'
import { Button } from '@/ui/button'
import { CopyButton } from '@/ui/copy-button'
import { DateTime } from '@/ui/date-time'
import { Dialog } from '@/ui/dialog'

/** The link that lets one person choose a password. The server shows it this once. */
export function OneTimeLink({ link, onClose }: { link: Link; onClose: () => void }) {
  const { t } = useLingui()
  return (
    <Dialog
      open
      onClose={onClose}
      title={t`Enlace para ${link.user.username}`}
      description={t`Se muestra solo ahora. Quien lo tenga puede entrar como esta persona: envíaselo por un medio seguro.`}
      footer={<Button look="primary" onClick={onClose}>{t`Listo`}</Button>}
    >
      <div className="flex items-center gap-2 rounded-lg border border-line bg-sunken p-2">
        <code className="min-w-0 flex-1 select-all break-all font-mono text-xs">{link.url}</code>
        <CopyButton text={link.url} label={t`Copiar enlace`} />
      </div>
      <p className="mt-2 text-muted text-xs">
        <Trans>
          Vale hasta <DateTime at={link.expires_at} /> y funciona una sola vez.
        </Trans>
      </p>
    </Dialog>
  )
}
