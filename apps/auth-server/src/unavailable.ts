/** Whether the error says that the store cannot be reached or written: a fault of the surroundings, and over some day. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'database_unavailable'
}
