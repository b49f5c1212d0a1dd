export {
  createAgentClient,
  type AgentClient,
  type AgentClientOptions,
  type ContractClient,
  type ContractClientOptions,
  type DiscoveryOptions,
} from './agent-client.ts'
export type { NeedsScope, RouterScope, ScopedClient } from './agent-contract.ts'
export type { ApprovalPolicy } from './approval-policy.ts'
export {
  Authorization,
  type AuthorizationTarget,
  type Authorizer,
  type CallForApproval,
  type Credentials,
  type DiscoveredAgent,
} from './authorization.ts'
export type { CallPolicies } from './call-links.ts'
export { apiKey } from './credentials/api-key.ts'
export type { ClientCredentials } from './credentials/client-credentials.ts'
export { clientSecret, type ClientSecretOptions } from './credentials/client-secret.ts'
export {
  fromEnvironment,
  type Environment,
  type EnvironmentSettings,
  type EnvironmentSource,
} from './credentials/from-environment.ts'
export type { OAuthClientSettings } from './credentials/oauth-client.ts'
export { privateKeyJwt, type PrivateKeyJwtOptions } from './credentials/private-key-jwt.ts'
export { taskGrant } from './credentials/task-grant.ts'
export {
  tokenExchange,
  type SubjectSource,
  type TokenExchangeOptions,
} from './credentials/token-exchange.ts'
export {
  createActFor,
  type ActFor,
  type ActForOptions,
  type Caller,
  type DelegatedClientOptions,
  type OnBehalf,
} from './delegation/act-for.ts'
export { provideActFor, type ActForContext } from './delegation/provide-act-for.ts'
export { discoverAgent, type DiscoverAgentOptions } from './discovery/discover-agent.ts'
export { generateDpopKey } from './dpop/dpop-signer.ts'
export {
  ClientError,
  isClientError,
  type CallToApprove,
  type ClientErrorCode,
  type ClientErrorFacts,
  type ClientErrorOf,
} from './error/client-error.ts'
export { toClientError } from './error/to-client-error.ts'
export type { FetchLike, FetchLikeAnswer, FetchLikeInit } from './fetch-like.ts'
export { withinCall } from './links/deadline.ts'
export type { CallScope, ServiceCallScope } from './links/call-scope.ts'
export type { ResumePolicy } from './links/resume-link.ts'
export type { RetryPolicy } from './links/retry.ts'
export type { GetTraceContext, TraceContext } from './links/trace-context.ts'
export type { StepUpPolicy } from './step-up.ts'
export { AccessToken } from './token/access-token.ts'
export { createMemoryTokenCache } from './token/memory-token-cache.ts'
export { createSealedTokenCache } from './token/sealed-token-cache.ts'
export type { TokenCache } from './token/token-cache.ts'
