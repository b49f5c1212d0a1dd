import { toClientError, type ClientError } from '@deputy/client'

/**
 * Waits for a call that must be refused, and answers with the refusal: `code` is the agent's `reason`,
 * beside it `status`, `requiredScopes`, `hint`. Rejects when the call was carried out instead.
 */
export async function refusal(call: Promise<unknown>): Promise<ClientError> {
  const outcome = await call.then(
    () => undefined,
    (error: unknown) => toClientError(error),
  )
  if (outcome !== undefined) return outcome
  throw new Error('the call was carried out, though a refusal was expected')
}
