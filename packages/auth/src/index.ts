export {
  explainAuthority,
  type AuthorityExplanation,
  type ExplainAuthorityOptions,
} from './explain-authority.ts'
export { formatChallenge } from './challenge.ts'
export {
  createCallerAddress,
  type AddressedRequest,
  type CallerAddressOptions,
  type ReadCallerAddress,
} from './limit/caller-address.ts'
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
  DeadlineRefusal,
  Refusal,
  RefusalReason,
  ScopeRefusal,
  TooManyRefusal,
} from './refusal.ts'
export {
  createRevocationCheck,
  type RevocationCheck,
  type RevocationCheckOptions,
  type StalenessPolicy,
} from './revocation/revocation-check.ts'
export {
  followRevocationFeed,
  type FeedState,
  type FollowFeedOptions,
} from './revocation/revocation-feed.ts'
export {
  createRevocationView,
  type RevocationView,
  type FeedListener,
  type RevocationViewOptions,
} from './revocation/revocation-view.ts'
export {
  CallCounterUnavailableError,
  type CallCounter,
  type CallsAllowed,
} from './token-limit/call-counter.ts'
export type { CallsRefusal, CallToApprove, LimitRefusal } from './token-limit/limit-refusal.ts'
export type { LimitStores } from './token-limit/limit-stores.ts'
export {
  createMemoryCallCounter,
  type MemoryCallCounterOptions,
} from './token-limit/memory-call-counter.ts'
export type { PublicApproval, PublicLimit } from './token-limit/public-limit-refusal.ts'
export {
  readLimits,
  type Approval,
  type Budget,
  type TokenLimits,
} from './token-limit/read-limits.ts'
export {
  createAccessTokenVerifier,
  DEFAULT_CLOCK_TOLERANCE_SECONDS,
  type AccessTokenVerifier,
  type AccessTokenVerifierOptions,
} from './verify/access-token-verifier.ts'
export {
  createApiKeyVerifier,
  type ApiKeyRefusal,
  type ApiKeyVerifier,
  type ApiKeyVerifierOptions,
} from './verify/api-key-verifier.ts'
export {
  createAuthenticator,
  type Authenticated,
  type AuthenticationRefusal,
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
  createRemoteSigningKeySource,
  type RemoteSigningKeys,
  type RemoteSigningKeysOptions,
} from './verify/remote-signing-keys.ts'
export {
  createLocalSigningKeySource,
  SigningKeysUnavailableError,
  type PublishedKeys,
  type SigningKeySource,
  type WantedKey,
} from './verify/signing-key-source.ts'
export { createCallerCount, type CallerCount } from './limit/caller-count.ts'
export {
  createVerifiedKeyCache,
  type VerifiedKeyCacheOptions,
  type VerifiedKeyCacheSettings,
} from './verify/verified-key-cache.ts'
export {
  createVerifiedTokenCache,
  type VerifiedTokenCacheOptions,
} from './verify/verified-token-cache.ts'
export {
  createTokenBindingCheck,
  type BindingSupport,
  type CheckTokenBinding,
  type RequestTarget,
  type TokenBindingOptions,
  type TokenUse,
} from './verify/token-binding.ts'
export {
  createIssuerAuthenticator,
  type IssuerAuthenticator,
  type IssuerAuthenticatorOptions,
  type RevocationOptions,
} from './verify/issuer-authenticator.ts'
export {
  createLocalReplayMemory,
  ReplayMemoryUnavailableError,
  toReplayKey,
  type LocalReplayMemoryOptions,
  type ReplayMemory,
} from './verify/replay-memory.ts'
export {
  createRedisReplayMemory,
  type RedisReplayClient,
  type RedisReplayMemoryOptions,
} from './verify/replay-memory-redis.ts'
export {
  createDpopProofVerifier,
  type DpopProof,
  type DpopProofVerifier,
  type DpopProofVerifierOptions,
} from './verify/dpop-proof.ts'
export type { DpopRequest } from './verify/dpop-proof-checks.ts'
export {
  createDpopNonces,
  type DpopNonces,
  type DpopNoncesOptions,
  type NonceCheck,
} from './verify/dpop-proof-nonces.ts'
export {
  toPublicDpopRefusal,
  type DpopRefusal,
  type DpopRefusalReason,
  type PublicDpopRefusal,
} from './verify/dpop-proof-refusal.ts'
export { importPublicKey, toThumbprint } from './verify/public-key.ts'
export { isSignatureOf, type SignedText } from './verify/signature-scheme.ts'
export { readCompactJws, type CompactJws } from './verify/compact-jws.ts'
