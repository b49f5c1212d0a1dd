import { isAgentSecret } from '@deputy/auth/protocol'
import { Authorization, type Credentials } from './authorization.ts'

/**
 * Credentials by API key, sent as `X-API-Key`. Throws `TypeError` at once for a key that is mistyped
 * or cut short.
 */
export function apiKey(key: string): Credentials {
  if (!isAgentSecret(key, 'apiKey')) {
    throw new TypeError(
      'the API key is mistyped or cut short: it is "sk-agent-" and 49 letters and digits',
    )
  }
  const authorization = new Authorization({ 'x-api-key': key })
  return () => ({
    authorize: async () => authorization,
    // The same key would be refused again.
    renew: () => false,
  })
}
