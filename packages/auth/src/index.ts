export { formatChallenge } from './challenge.ts'
export { createFailureGuard, type Failure, type FailureGuard } from './limit/failure-guard.ts'
export {
  createFallbackRateLimiter,
  type FallbackRateLimiterOptions,
} from './limit/fallback-rate-limiter.ts'
export {
  createLimitCaller,
  type LimitCaller,
  type LimitCallerOptions,
} from './limit/limit-caller.ts'
export { createMemoryRateLimiter } from './limit/memory-rate-limiter.ts'
export {
  DEFAULT_RATE_LIMIT_TIERS,
  DEFAULT_TIER,
  RateLimitTier,
  RateLimitTiers,
  type RateLimiter,
  type RateLimitRefusal,
  type RateLimitRequest,
  type RateLimitState,
} from './limit/rate-limit.ts'
export { formatRateLimitHeaders } from './limit/rate-limit-headers.ts'
export { toDecision } from './limit/token-bucket.ts'
export type { Principal } from './principal.ts'
export { toPublicRefusal, type PublicRefusal } from './public-refusal.ts'
export type {
  CredentialRefusal,
  Refusal,
  RefusalReason,
  ScopeRefusal,
  TooManyRefusal,
} from './refusal.ts'
export {
  createAccessTokenVerifier,
  DEFAULT_CLOCK_TOLERANCE_SECONDS,
  type AccessTokenVerifier,
  type AccessTokenVerifierOptions,
} from './verify/access-token-verifier.ts'
export {
  createApiKeyVerifier,
  type ApiKeyVerifier,
  type ApiKeyVerifierOptions,
} from './verify/api-key-verifier.ts'
export {
  createAuthenticator,
  type Authenticated,
  type Authenticator,
  type AuthenticatorOptions,
} from './verify/authenticator.ts'
export { readCredential, type Credential, type HeaderLookup } from './verify/credential.ts'
export {
  createHttpIntrospect,
  type HttpIntrospectOptions,
  type Introspect,
} from './verify/introspect.ts'
export {
  createLocalSigningKeySource,
  createRemoteSigningKeySource,
  SigningKeysUnavailableError,
  type RemoteSigningKeySourceOptions,
  type SigningKeySource,
} from './verify/signing-key-source.ts'
export {
  createIssuerAuthenticator,
  type IssuerAuthenticatorOptions,
} from './verify/issuer-authenticator.ts'
