import { AuthError } from '@deputy/auth/trpc'

/** The reason that a call was refused with, for labels and attributes: `internal_error` for a bug, whatever it says. */
export function reasonOf(error: unknown): string {
  if (error instanceof AuthError) return error.refusal.reason
  const isRefusal = error instanceof Error && 'reason' in error && typeof error.reason === 'string'
  return isRefusal ? String(error.reason) : 'internal_error'
}
