import type { Clock, SignatureAlgorithm } from '../protocol/index.ts'
import { createAccessTokenVerifier } from './access-token-verifier.ts'
import { createApiKeyVerifier } from './api-key-verifier.ts'
import { createAuthenticator, type Authenticator } from './authenticator.ts'
import { createHttpIntrospect } from './introspect.ts'
import type { IssuerDiscoveryOptions } from './issuer-discovery.ts'
import { createRemoteSigningKeySource } from './signing-key-source.ts'

export type IssuerAuthenticatorOptions = IssuerDiscoveryOptions & {
  /** The authorization server whose tokens and keys are taken. */
  readonly issuer: string
  /** This agent's id: the `aud` of its tokens, and its client id at the authorization server. */
  readonly agentId: string
  /** With it the agent takes API keys too: it asks the authorization server about each. */
  readonly clientSecret?: string | undefined
  readonly algorithms?: readonly SignatureAlgorithm[] | undefined
  readonly clockToleranceSeconds?: number | undefined
  readonly clock?: Clock | undefined
}

/** Wires an agent's whole way in from one issuer: access tokens by its published keys, API keys by introspection. */
export function createIssuerAuthenticator(options: IssuerAuthenticatorOptions): Authenticator {
  const { agentId, clientSecret, issuer } = options
  const keys = createRemoteSigningKeySource(issuer, options)
  const accessTokens = createAccessTokenVerifier({ ...options, audience: agentId, keys })
  if (clientSecret === undefined) return createAuthenticator({ accessTokens })
  const introspect = createHttpIntrospect({ ...options, clientId: agentId, clientSecret })
  const apiKeys = createApiKeyVerifier({ audience: agentId, introspect })
  return createAuthenticator({ accessTokens, apiKeys })
}
