import { useLingui } from '@lingui/react/macro'
import { Link } from '@tanstack/react-router'
import { BrainCircuit, MessageCircle, UserPlus } from 'lucide-react'
import { useState } from 'react'
import { Invite } from '@/features/accounts'
import { AddProvider } from '@/features/ai'
import { AddNumber } from '@/features/whatsapp'
import { Button } from '@/ui/button'

type StepProps = { onChanged: () => void }

const LINK = 'text-accent text-sm underline-offset-2 hover:underline'

export function ProviderStep({ onChanged }: StepProps) {
  const { t } = useLingui()
  const [isOpen, setOpen] = useState(false)
  return (
    <div className="flex flex-wrap items-center gap-4">
      <Button onClick={() => setOpen(true)}>
        <BrainCircuit aria-hidden />
        {t`Conectar un modelo`}
      </Button>
      <Link to="/ai/providers" className={LINK}>
        {t`Ver todos los modelos`}
      </Link>
      {isOpen && (
        <AddProvider
          onClose={() => {
            setOpen(false)
            onChanged()
          }}
        />
      )}
    </div>
  )
}

export function ChannelStep({ onChanged }: StepProps) {
  const { t } = useLingui()
  const [isOpen, setOpen] = useState(false)
  if (isOpen) {
    return (
      <AddNumber
        onCancel={() => setOpen(false)}
        onDone={() => {
          setOpen(false)
          onChanged()
        }}
      />
    )
  }
  return (
    <div className="flex flex-wrap items-center gap-4">
      <Button onClick={() => setOpen(true)}>
        <MessageCircle aria-hidden />
        {t`Conectar un número`}
      </Button>
      <Link to="/channels" className={LINK}>
        {t`Ver los canales`}
      </Link>
    </div>
  )
}

export function TeamStep({ onChanged }: StepProps) {
  const { t } = useLingui()
  const [isOpen, setOpen] = useState(false)
  return (
    <div className="flex flex-wrap items-center gap-4">
      <Button onClick={() => setOpen(true)}>
        <UserPlus aria-hidden />
        {t`Invitar a una persona`}
      </Button>
      <Link to="/team" className={LINK}>
        {t`Ver el equipo`}
      </Link>
      {isOpen && (
        <Invite
          onClose={() => {
            setOpen(false)
            onChanged()
          }}
        />
      )}
    </div>
  )
}
