import { systemClock, type Clock, type SignatureAlgorithm } from '../protocol/index.ts'
import { createAccessTokenVerifier } from './access-token-verifier.ts'
import { createApiKeyVerifier } from './api-key-verifier.ts'
import { createAuthenticator, type Authenticator } from './authenticator.ts'
import { createDpopProofVerifier } from './dpop-proof.ts'
import { createHttpIntrospect } from './introspect.ts'
import type { IssuerDiscoveryOptions } from './issuer-discovery.ts'
import { createLocalReplayMemory } from './replay-memory.ts'
import { createRemoteSigningKeySource } from './signing-key-source.ts'
import type { TokenBindingOptions } from './token-binding.ts'

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
  /** How proofs of tokens that are bound to a key are taken. Default: each once in this process. */
  readonly dpop?: TokenBindingOptions | undefined
}

/** Wires an agent's whole way in from one issuer: access tokens by its published keys, API keys by introspection. */
export function createIssuerAuthenticator(options: IssuerAuthenticatorOptions): Authenticator {
  const { agentId, clientSecret, issuer } = options
  const keys = createRemoteSigningKeySource(issuer, options)
  const accessTokens = createAccessTokenVerifier({ ...options, audience: agentId, keys })
  const dpop = options.dpop ?? createLocalBinding(options)
  if (clientSecret === undefined) return createAuthenticator({ accessTokens, dpop })
  const introspect = createHttpIntrospect({ ...options, clientId: agentId, clientSecret })
  const apiKeys = createApiKeyVerifier({ audience: agentId, introspect })
  return createAuthenticator({ accessTokens, apiKeys, dpop })
}

function createLocalBinding(
  options: Pick<IssuerAuthenticatorOptions, 'clock' | 'clockToleranceSeconds'>,
): TokenBindingOptions {
  const { clock = systemClock, clockToleranceSeconds } = options
  const replayMemory = createLocalReplayMemory({ clock })
  return { proofs: createDpopProofVerifier({ clock, clockToleranceSeconds, replayMemory }) }
}
