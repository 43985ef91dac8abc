import { createFileRoute } from '@tanstack/react-router'
import { Playground } from '@/features/ai'
import { needs } from '@/shell/guard'

type Search = { models?: string[] }

export const Route = createFileRoute('/_app/ai/playground')({
  beforeLoad: needs('models:manage'),
  validateSearch: ({ models }: Record<string, unknown>): Search =>
    Array.isArray(models) ? { models: models.filter((one) => typeof one === 'string') } : {},
  component: Playground,
})
