import {
  accept,
  refuse,
  SubjectToken,
  systemClock,
  type Clock,
  type Result,
} from '../protocol/index.ts'
import type { Principal } from '../principal.ts'
import type { CredentialRefusal } from '../refusal.ts'
import type { RevocationCheck } from '../revocation/revocation-check.ts'
import { createExpiryWatch } from '../revocation/expiry-watch.ts'
import { watchAuthority } from '../revocation/watch-authority.ts'
import type { AccessTokenVerifier } from './access-token-verifier.ts'
import type { ApiKeyRefusal, ApiKeyVerifier } from './api-key-verifier.ts'
import { readCredential, type Credential, type HeaderLookup } from './credential.ts'
import {
  createTokenBindingCheck,
  type BindingSupport,
  type RequestTarget,
  type TokenBindingOptions,
} from './token-binding.ts'
import { watchApiKey, type ApiKeyWatch } from './watch-api-key.ts'

/** Decides who is calling. One for each agent; every transport uses it. */
export type Authenticator = {
  /**
   * Finds the credential and verifies it.
   *
   * @param target what was asked for; without it no token that is bound to a key is taken
   * @param from tells the caller's network address, which bounds how many unknown keys it can have asked about
   */
  authenticate(
    header: HeaderLookup,
    target?: RequestTarget,
    from?: () => string,
  ): Promise<Result<Authenticated, AuthenticationRefusal>>
  /** How tokens that are bound to a key are taken; `undefined` where none are. */
  readonly binding?: BindingSupport | undefined
}

/** Why nobody was authenticated. */
export type AuthenticationRefusal = ApiKeyRefusal

/** A verified caller on a connection that may outlive the credential. */
export type Authenticated = {
  readonly principal: Principal
  /** What the caller presented, to act for it elsewhere. An API key is not to be exchanged. */
  readonly subjectToken?: SubjectToken | undefined
  /**
   * Says whether the caller may still go on: called for each message of a long-lived connection. A
   * token's signature is not verified again, only its time and what was revoked; an API key is looked up again.
   */
  recheck(): Promise<Result<Principal, AuthenticationRefusal>>
  /**
   * Calls back, once, in the moment in which the caller's authority ends: it is revoked, it expires, or an API key has
   * become less. The function that it returns ends the watch.
   */
  watch(onEnd: (refusal: CredentialRefusal) => void): () => void
}

export type AuthenticatorOptions = {
  readonly accessTokens: AccessTokenVerifier
  /** Leave out for an agent that takes access tokens only. */
  readonly apiKeys?: ApiKeyVerifier | undefined
  /** Leave out for an agent that takes no tokens that are bound to a key (RFC 9449). */
  readonly dpop?: TokenBindingOptions | undefined
  /** Leave out where nothing is known of revocations: a token is then good until it expires. */
  readonly revocations?: RevocationCheck | undefined
  readonly clock?: Clock | undefined
}

type Request = {
  readonly target: RequestTarget | undefined
  readonly from: (() => string) | undefined
}

/** Wires the verifiers behind the one question that transports ask. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { accessTokens, apiKeys, revocations } = options
  const { clock = systemClock } = options
  const toleranceSeconds = accessTokens.clockToleranceSeconds ?? 0
  const ending = { revocations, clock, toleranceSeconds, expiries: createExpiryWatch(clock) }
  const checkBinding = createTokenBindingCheck(options.dpop)

  async function verify(
    credential: Credential,
    { from, target }: Request,
  ): Promise<Result<Principal, AuthenticationRefusal>> {
    if (credential.kind !== 'api_key') {
      const verified = await accessTokens.verify(credential.token)
      if (!verified.ok) return verified
      const live = await checkRevoked(verified.value, credential.token)
      return live.ok ? checkBinding(live.value, { credential, target }) : live
    }
    if (apiKeys === undefined || options.dpop?.isRequired === true)
      return refuse({ reason: 'api_key_not_accepted' })
    return apiKeys.verify(credential.key, from)
  }

  async function checkRevoked(
    principal: Principal,
    token: string,
  ): Promise<Result<Principal, CredentialRefusal>> {
    return revocations === undefined ? accept(principal) : revocations.check(principal, token)
  }

  async function recheck(
    principal: Principal,
    credential: Credential,
    from: (() => string) | undefined,
  ): Promise<Result<Principal, AuthenticationRefusal>> {
    if (credential.kind === 'api_key') return verify(credential, { target: undefined, from })
    const inTime = accessTokens.checkTime(principal)
    return inTime.ok ? checkRevoked(principal, credential.token) : inTime
  }

  function watchFor(
    principal: Principal,
    credential: Credential,
    recheck: Authenticated['recheck'],
  ): Authenticated['watch'] {
    const watchEnd: ApiKeyWatch['watchEnd'] = (watched, onEnd) =>
      watchAuthority(watched, { ...ending, recheck }, onEnd)
    const watchChanges = apiKeys?.watch
    if (credential.kind !== 'api_key' || watchChanges === undefined) {
      return (onEnd) => watchEnd(principal, onEnd)
    }
    const watch = { verify: recheck, watchChanges, watchEnd }
    return (onEnd) => watchApiKey(principal, watch, onEnd)
  }

  return Object.freeze({
    binding: toBindingSupport(options.dpop),

    async authenticate(
      header: HeaderLookup,
      target?: RequestTarget,
      from?: () => string,
    ): Promise<Result<Authenticated, AuthenticationRefusal>> {
      const credential = readCredential(header)
      if (!credential.ok) return credential
      const verified = await verify(credential.value, { target, from })
      if (!verified.ok) return verified
      const principal = verified.value
      const subjectToken =
        credential.value.kind === 'api_key' ? undefined : new SubjectToken(credential.value.token)
      const check = async () => recheck(principal, credential.value, from)
      return accept({
        principal,
        subjectToken,
        recheck: check,
        watch: watchFor(principal, credential.value, check),
      })
    },
  })
}

function toBindingSupport(dpop: TokenBindingOptions | undefined): BindingSupport | undefined {
  if (dpop === undefined) return undefined
  const { nonces, proofs } = dpop
  return Object.freeze({
    algorithms: proofs.algorithms,
    isRequired: dpop.isRequired ?? false,
    issueNonce: () => nonces?.issue(),
  })
}
