// Credentials from environment variables, or from whatever has them by name, like the bindings of a Worker.
import type { Credentials } from '../authorization.ts'
import { ClientError } from '../error/client-error.ts'
import { apiKey } from './api-key.ts'
import { clientSecret } from './client-secret.ts'
import type { ClientCredentials } from './client-credentials.ts'
import type { OAuthClientSettings } from './oauth-client.ts'
import { privateKeyJwt } from './private-key-jwt.ts'
import { taskGrant } from './task-grant.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** What credentials are given beside what the environment says. */
export type EnvironmentSettings = Omit<OAuthClientSettings, 'clientId'>

/** Reads one way of saying who the agent is. `undefined` where the environment says nothing of it. */
export type EnvironmentSource = (
  environment: Environment,
  settings: EnvironmentSettings,
) => ClientCredentials | undefined

/** `DEPUTY_CLIENT_KEY` is a private JWK. */
const readKey: EnvironmentSource = (environment, settings) => {
  const { DEPUTY_CLIENT_ID: clientId, DEPUTY_CLIENT_KEY: text, DEPUTY_ISSUER: issuer } = environment
  if (!text) return undefined
  if (!clientId) throw missing('DEPUTY_CLIENT_KEY', ['DEPUTY_CLIENT_ID'])
  return privateKeyJwt({ ...settings, issuer: issuer || undefined, clientId, key: parseKey(text) })
}

const readSecret: EnvironmentSource = (environment, settings) => {
  const { DEPUTY_CLIENT_ID: clientId, DEPUTY_ISSUER: issuer } = environment
  const secret = environment['DEPUTY_CLIENT_SECRET']
  if (!secret) return undefined
  if (!clientId || !issuer) {
    const names = [clientId ? '' : 'DEPUTY_CLIENT_ID', issuer ? '' : 'DEPUTY_ISSUER']
    throw missing('DEPUTY_CLIENT_SECRET', names.filter(Boolean))
  }
  return clientSecret({ ...settings, issuer, clientId, clientSecret: secret })
}

/**
 * Reads credentials from the environment. The first of these that is set is taken; one that is set in part
 * is an error, never a reason to go on to the next:
 *
 * 1. `DEPUTY_API_KEY`;
 * 2. `DEPUTY_CLIENT_KEY` (a private JWK) with `DEPUTY_CLIENT_ID` and, unless the agents that are called say
 *    whom to ask, `DEPUTY_ISSUER`;
 * 3. `DEPUTY_CLIENT_SECRET` with `DEPUTY_CLIENT_ID` and `DEPUTY_ISSUER`;
 * 4. what `others` read: `@deputy/client/node` adds files.
 *
 * With `DEPUTY_TASK_GRANT`, 2 to 4 work under that task grant. Throws `ClientError`
 * (`environment_invalid`), which names variables and never their values.
 */
export function fromEnvironment(
  environment: Environment,
  settings: EnvironmentSettings = {},
  others: readonly EnvironmentSource[] = [],
): Credentials {
  const { DEPUTY_API_KEY: key, DEPUTY_TASK_GRANT: grant } = environment
  if (key) {
    if (grant)
      throw invalid('DEPUTY_TASK_GRANT is of no use with DEPUTY_API_KEY: unset one of them')
    return named('DEPUTY_API_KEY', () => apiKey(key))
  }
  for (const read of [readKey, readSecret, ...others]) {
    const credentials = named('the environment', () => read(environment, settings))
    if (credentials !== undefined) return grant ? taskGrant(grant, credentials) : credentials
  }
  throw invalid('no credentials are set')
}

/** A `TypeError` of credentials says what is wrong with them, and not where they come from. */
function named<Value>(name: string, read: () => Value): Value {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw invalid(`${name} is of no use: ${error.message}`)
  }
}

function parseKey(text: string): Parameters<typeof privateKeyJwt>[0]['key'] & object {
  let key: unknown
  try {
    key = JSON.parse(text)
  } catch {
    throw invalid('DEPUTY_CLIENT_KEY is not JSON: it must be a private JWK')
  }
  if (isJwk(key)) return key
  throw invalid('DEPUTY_CLIENT_KEY is not a private JWK')
}

function isJwk(value: unknown): value is { kty: string; d: string } {
  if (typeof value !== 'object' || value === null) return false
  return (
    'kty' in value && 'd' in value && typeof value.kty === 'string' && typeof value.d === 'string'
  )
}

function missing(present: string, names: readonly string[]): ClientError {
  return invalid(`${present} is set, and ${names.join(' and ')} is missing`)
}

/** For sources of other packages too. */
export function invalid(message: string): ClientError {
  return new ClientError({
    code: 'environment_invalid',
    message,
    hint: 'Set DEPUTY_API_KEY; or DEPUTY_CLIENT_ID and DEPUTY_ISSUER with DEPUTY_CLIENT_SECRET or DEPUTY_CLIENT_KEY; or, on Node, DEPUTY_CREDENTIALS_FILE.',
  })
}
