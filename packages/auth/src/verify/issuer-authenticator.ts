import {
  accept,
  SIGNING_KEYS_CHANGE_ID,
  systemClock,
  type Clock,
  type FeedEntry,
  type SignatureAlgorithm,
} from '../protocol/index.ts'
import {
  createRevocationCheck,
  type RevocationCheck,
  type StalenessPolicy,
} from '../revocation/revocation-check.ts'
import {
  followRevocationFeed,
  type FeedState,
  type FollowFeedOptions,
} from '../revocation/revocation-feed.ts'
import { createRevocationView, type RevocationView } from '../revocation/revocation-view.ts'
import { createAccessTokenVerifier } from './access-token-verifier.ts'
import { createApiKeyVerifier } from './api-key-verifier.ts'
import { createAuthenticator, type Authenticator } from './authenticator.ts'
import { createDpopProofVerifier } from './dpop-proof.ts'
import { createHttpIntrospect, type Introspect } from './introspect.ts'
import { createIssuerDiscovery, type IssuerDiscoveryOptions } from './issuer-discovery.ts'
import { createRemoteSigningKeySource } from './remote-signing-keys.ts'
import { createLocalReplayMemory } from './replay-memory.ts'
import type { TokenBindingOptions } from './token-binding.ts'
import { createVerifiedKeyCache, type VerifiedKeyCacheSettings } from './verified-key-cache.ts'
import { createVerifiedTokenCache } from './verified-token-cache.ts'

export type RevocationOptions = StalenessPolicy & {
  /** Beyond this the view is no longer relied on: every caller is asked about. Default 1,000,000. */
  readonly maxEntries?: number | undefined
  /** Money that is held below grants, for whoever asks how far a revocation would reach. */
  readonly findHeld?: FollowFeedOptions['findHeld']
  /** Told when the feed is lost and when it is there again, for the log. */
  readonly onChange?: ((state: FeedState) => void) | undefined
}

export type IssuerAuthenticatorOptions = IssuerDiscoveryOptions & {
  /** The authorization server whose tokens and keys are taken. */
  readonly issuer: string
  /** This agent's id: the `aud` of its tokens, and its client id at the authorization server. */
  readonly agentId: string
  /** With it the agent takes API keys too: it asks the authorization server about them. */
  readonly clientSecret?: string | undefined
  readonly algorithms?: readonly SignatureAlgorithm[] | undefined
  readonly clockToleranceSeconds?: number | undefined
  readonly clock?: Clock | undefined
  /** Verified tokens that are remembered, at most. Default 10,000. */
  readonly maxVerifiedTokens?: number | undefined
  /** How answers about API keys are remembered while the feed is live. */
  readonly apiKeys?: VerifiedKeyCacheSettings | undefined
  /** How revocations are followed, where the agent has a secret and its issuer a feed. */
  readonly revocation?: RevocationOptions | undefined
  /** How proofs of tokens that are bound to a key are taken. Default: each once in this process. */
  readonly dpop?: TokenBindingOptions | undefined
  /** Takes nothing but access tokens that are bound to a key (RFC 9449), and says so. Default: no. */
  readonly dpopBoundAccessTokensRequired?: boolean | undefined
}

/** An authenticator that may hold a connection to its issuer. */
export type IssuerAuthenticator = Authenticator & AsyncDisposable

/**
 * Wires an agent's whole way in from one issuer: access tokens by its published keys, API keys by
 * introspection, revocations by its feed. The issuer's metadata is read once for all three, and the keys are fetched
 * while the agent still starts. Dispose of it to close the feed.
 */
export function createIssuerAuthenticator(given: IssuerAuthenticatorOptions): IssuerAuthenticator {
  const { agentId, clientSecret, issuer } = given
  const options = { ...given, discover: createIssuerDiscovery(issuer, given) }
  const keys = createRemoteSigningKeySource(issuer, options)
  const verifier = createAccessTokenVerifier({ ...options, audience: agentId, keys })
  const maxTokens = options.maxVerifiedTokens
  const accessTokens = createVerifiedTokenCache(verifier, { keys, maxTokens })
  const binding = options.dpop ?? createLocalBinding(options)
  const isRequired = options.dpopBoundAccessTokensRequired ?? binding.isRequired
  const dpop = { ...binding, isRequired }
  const { clock } = options
  keys.prefetch()
  if (clientSecret === undefined) {
    const authenticator = createAuthenticator({ accessTokens, dpop, clock })
    return Object.freeze({ ...authenticator, [Symbol.asyncDispose]: async () => undefined })
  }
  const introspect = createHttpIntrospect({ ...options, clientId: agentId, clientSecret })
  const { feed, revocations, view } = followRevocations({ ...options, clientSecret, introspect })
  view.listen({
    onEntries(entries) {
      if (entries.some(isOfSigningKeys)) keys.refetch()
    },
    // Keys are looked after by their age.
    onGap: () => undefined,
  })
  const apiKeys = createVerifiedKeyCache(createApiKeyVerifier({ audience: agentId, introspect }), {
    ...options.apiKeys,
    view,
    clock,
    clockToleranceSeconds: options.clockToleranceSeconds,
  })
  const authenticator = createAuthenticator({ accessTokens, apiKeys, dpop, revocations, clock })
  const dispose = async (): Promise<void> => feed[Symbol.asyncDispose]()
  return Object.freeze({ ...authenticator, [Symbol.asyncDispose]: dispose })
}

/**
 * Attack prevented: made-up key ids, which use up what may be looked for, so that tokens of a key that signs from one moment
 * to the next are refused for as long as the flood lasts.
 */
function isOfSigningKeys({ id, kind }: FeedEntry): boolean {
  return kind === 'change' && id === SIGNING_KEYS_CHANGE_ID
}

type FollowOptions = IssuerAuthenticatorOptions & {
  readonly clientSecret: string
  readonly introspect: Introspect
}

function followRevocations(options: FollowOptions): {
  readonly feed: AsyncDisposable
  readonly revocations: RevocationCheck
  readonly view: RevocationView
} {
  const { clock = systemClock, introspect, revocation } = options
  const view = createRevocationView({ clock, maxEntries: revocation?.maxEntries })
  const known = createRevocationCheck({ ...revocation, view, introspect, clock })
  let hasFeed = true
  const feed = followRevocationFeed({
    ...options,
    clientId: options.agentId,
    view,
    findHeld: revocation?.findHeld,
    onChange(state) {
      if (state.state === 'none') hasFeed = false
      revocation?.onChange?.(state)
    },
  })
  const revocations: RevocationCheck = {
    ...known,
    // At an issuer of another make a token is good until it expires.
    check: async (principal, token) =>
      hasFeed ? known.check(principal, token) : accept(principal),
  }
  return { feed, revocations, view }
}

function createLocalBinding(
  options: Pick<IssuerAuthenticatorOptions, 'clock' | 'clockToleranceSeconds'>,
): TokenBindingOptions {
  const { clock = systemClock, clockToleranceSeconds } = options
  const replayMemory = createLocalReplayMemory({ clock })
  return { proofs: createDpopProofVerifier({ clock, clockToleranceSeconds, replayMemory }) }
}
