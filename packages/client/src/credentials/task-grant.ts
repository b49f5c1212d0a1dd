import { toClientCredentials, type ClientCredentials } from './client-credentials.ts'

/**
 * Credentials for the work under a task grant that was opened for this client: every token stands on it,
 * within its limits, and ends with it. Only the client's own grant can be narrowed so: for what is done on
 * a caller's behalf, give the result's `toSubject` to `tokenExchange`.
 */
export function taskGrant(id: string, of: ClientCredentials): ClientCredentials {
  const { client, grant } = of
  if (id === '') throw new TypeError('the id of a task grant must not be empty')
  if (grant.type !== 'client_credentials') {
    throw new TypeError('a task grant is for a client’s own credentials, not for exchanged tokens')
  }
  return toClientCredentials(
    client,
    {
      ...grant,
      toKey: () => JSON.stringify([grant.toKey(), 'task_grant', id]),
      details: [...(grant.details ?? []), { type: 'task_grant', identifier: id }],
    },
    `taskGrant(${id} of ${client.clientId})`,
  )
}
