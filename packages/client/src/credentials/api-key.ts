import { isAgentSecret } from '@deputy/auth/protocol'
import { Authorization, type Credentials } from '../authorization.ts'
import { describe } from './describe.ts'

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
  const authorization = new Authorization({ 'x-api-key': key }, { id: 'API key' })
  const credentials: Credentials = () => ({
    authorize: async () => authorization,
    peek: () => authorization,
    // The same key would be refused again.
    renew: () => false,
  })
  return describe(credentials, 'apiKey()')
}
