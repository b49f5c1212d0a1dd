// oidc-provider as it ships, with its adapter in memory: client credentials for one resource server whose
// access tokens are ES256 JWTs.
import { Provider } from 'oidc-provider'
import { CLIENT_SCOPES, TARGET_ID, TARGET_SCOPES, TOKEN_TTL_SECONDS } from '../scenario.ts'
import { createSigningKey, readServerSettings } from '../servers/settings.ts'

const { clients, port } = readServerSettings(process.env)
const { privateJwk } = createSigningKey()
const scope = CLIENT_SCOPES.join(' ')

const provider = new Provider(`http://127.0.0.1:${String(port)}`, {
  jwks: { keys: [privateJwk] },
  clients: clients.map(({ id, secret }) => ({
    client_id: id,
    client_secret: secret,
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    scope,
  })),
  clientAuthMethods: ['client_secret_basic'],
  enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  scopes: [...TARGET_SCOPES],
  ttl: { ClientCredentials: TOKEN_TTL_SECONDS },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        scope: TARGET_SCOPES.join(' '),
        audience: TARGET_ID,
        accessTokenFormat: 'jwt',
        accessTokenTTL: TOKEN_TTL_SECONDS,
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
})
provider.listen(port, '127.0.0.1')
process.on('disconnect', () => process.exit())
