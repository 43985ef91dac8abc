import type { Problem } from '@/api'

/** A refused request: the server's stable `code`, its words, the members at fault, and what finds it in the log. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly fields: readonly { field: string; message: string }[]
  readonly requestId: string | null
  readonly retryAfterSeconds: number | null

  constructor(
    status: number,
    problem: Partial<Problem>,
    requestId: string | null,
    retryAfter: number | null = null,
  ) {
    super(problem.detail ?? problem.title ?? `HTTP ${status}`)
    this.name = 'ApiError'
    this.status = status
    this.code = problem.code ?? 'unknown'
    this.fields = problem.errors ?? []
    this.requestId = problem.correlation_id ?? requestId
    this.retryAfterSeconds = retryAfter
  }
}

/** The request did not reach the server, or its answer did not reach us. */
export class Offline extends Error {
  constructor(cause: unknown) {
    super('the server cannot be reached', { cause })
    this.name = 'Offline'
  }
}

export function errorOf(body: unknown, response: Response | undefined): Error {
  if (!response) return body instanceof Error && body.name === 'AbortError' ? body : new Offline(body)
  const retry = Number(response.headers.get('retry-after'))
  const problem = typeof body === 'object' && body !== null ? (body as Partial<Problem>) : {}
  return new ApiError(
    response.status,
    problem,
    response.headers.get('x-request-id'),
    retry > 0 ? retry : null,
  )
}

export const codeOf = (error: unknown): string | null => (error instanceof ApiError ? error.code : null)
