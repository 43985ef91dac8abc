import { createFileRoute } from '@tanstack/react-router'
import { chosenFrom, Proof } from '@/features/proof'
import { needs } from '@/shell/guard'

export const Route = createFileRoute('/_app/proof')({
  beforeLoad: needs('system:read'),
  validateSearch: chosenFrom,
  component: Proof,
})
