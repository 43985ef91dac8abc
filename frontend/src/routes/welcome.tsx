import { createFileRoute } from '@tanstack/react-router'
import { Welcome } from '@/features/accounts'

export const Route = createFileRoute('/welcome')({ component: Welcome })
