import { useLingui } from '@lingui/react/macro'
import { Link } from '@tanstack/react-router'
import { Compass } from 'lucide-react'
import { EmptyState } from '@/ui/empty-state'

export function NotFound() {
  const { t } = useLingui()
  return (
    <EmptyState
      className="h-full"
      icon={<Compass aria-hidden />}
      title={t`Aquí no hay nada`}
      action={
        <Link to="/" className="font-semibold text-accent hover:underline">
          {t`Volver al principio`}
        </Link>
      }
    >
      {t`La dirección no existe, o lo que había ya se quitó.`}
    </EmptyState>
  )
}
