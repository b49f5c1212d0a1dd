export type { AccessToken, RequestToken } from './access-token.ts'
export { createAgentClient, type AgentClient, type AgentClientOptions } from './agent-client.ts'
export { apiKey } from './api-key.ts'
export {
  Authorization,
  type AuthorizationTarget,
  type Authorizer,
  type Credentials,
} from './authorization.ts'
export {
  ClientError,
  toClientError,
  type CallToApprove,
  type ClientErrorCode,
} from './client-error.ts'
export {
  createClientCredentialsRequest,
  type ClientCredentialsRequestOptions,
} from './client-credentials-request.ts'
export { clientSecret, type ClientSecretOptions } from './client-secret.ts'
export { tokenExchange, type TokenExchangeOptions } from './token-exchange.ts'
export {
  createTokenExchangeRequest,
  type TokenExchangeRequestOptions,
} from './token-exchange-request.ts'
export { createTokenManager, type TokenManager, type TokenManagerOptions } from './token-manager.ts'
