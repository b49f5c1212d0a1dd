export type { AgentContract, ContractProcedure } from './agent-contract.ts'
export { AgentId } from './agent-id.ts'
export {
  ACCESS_TOKEN_TYPE,
  AccessTokenClaims,
  ActClaim,
  AuthorizationDetailsClaim,
  ConfirmationClaim,
  GrantPathClaim,
  MAX_GRANT_PATH,
  SIGNATURE_ALGORITHMS,
  type SignatureAlgorithm,
} from './access-token-claims.ts'
export {
  AGENT_SECRET_PATTERN,
  createAgentSecret,
  isAgentSecret,
  SECRET_PREFIX,
  type AgentSecretKind,
  type FillRandom,
} from './agent-secret.ts'
export { toCanonicalJson } from './canonical-json.ts'
export { CredentialsFile } from './credentials-file.ts'
export { systemClock, type Clock, type EpochSeconds } from './clock.ts'
export { decimalsOf } from './currency.ts'
export {
  parseTimeoutHeader,
  parseTimeoutParam,
  TIMEOUT_HEADER,
  toTimeoutMs,
  type Deadline,
  type TimeoutMalformed,
} from './deadline.ts'
export { DPOP_PROOF_TYPE, DpopProofClaims, DpopProofHeader } from './dpop.ts'
export { hashInput } from './hash-input.ts'
export { IntrospectionResponse } from './introspection.ts'
export {
  AllowedValuesLimit,
  ApprovedCall,
  ApprovedCallRequest,
  BudgetLimit,
  CallsLimit,
  fromMinorUnits,
  Limit,
  LIMIT_TYPES,
  LIMIT_USE_TTL_SECONDS,
  toMinorUnits,
  type LimitType,
} from './limits.ts'
export {
  AUTHORIZATION_SERVER_METADATA_PATH,
  AuthorizationServerMetadata,
  PROTECTED_RESOURCE_METADATA_PATH,
  ProtectedResourceMetadata,
  toAuthorizationServerMetadataUrl,
  toProtectedResourceMetadataUrl,
} from './metadata.ts'
export {
  OAUTH_ERROR_CODES,
  OAuthErrorResponse,
  type BearerErrorCode,
  type OAuthErrorCode,
} from './oauth-error.ts'
export {
  isKeyFor,
  parsePublicJwk,
  PROOF_ALGORITHMS,
  PublicJwk,
  toKeyParameters,
  type KeyParameters,
  type ProofAlgorithm,
  type PublicJwkRefusal,
} from './public-jwk.ts'
export { ReachAnswer, ReachQuestion } from './reach.ts'
export {
  RevocationEventData,
  SIGNING_KEYS_CHANGE_ID,
  type ChangedEntry,
  type FeedEntry,
  type RevokedEntry,
} from './revocation-feed.ts'
export { accept, refuse, type Result } from './result.ts'
export {
  findMissingScopes,
  formatScope,
  isScopeToken,
  MAX_SCOPE_CHARS,
  parseScope,
  type Scope,
} from './scope.ts'
export { isSecureUrl, parseSecureUrl } from './secure-url.ts'
export { SubjectToken } from './subject-token.ts'
export { readMs, startInterval, startTimer, timeoutSignal, waitFor, type Timer } from './timer.ts'
export { TokenResponse } from './token-response.ts'
export { readTraceId } from './trace-id.ts'
export { CLOSE_CODE, REAUTHENTICATE_PATH } from './web-socket.ts'
