import type { QueryClient } from '@tanstack/react-query'
import { createRootRouteWithContext } from '@tanstack/react-router'
import { NotFound } from '@/shell/not-found'

export const Route = createRootRouteWithContext<{ queries: QueryClient }>()({ notFoundComponent: NotFound })
