import type { AuthorizationDetailsClaim, SubjectToken } from '@deputy/auth/protocol'
import { toClientCredentials, type ClientCredentials } from './client-credentials.ts'

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token'

/** Gives the subject token, each time that one is exchanged. */
export type SubjectSource = () => Promise<SubjectToken>

export type TokenExchangeOptions = {
  /**
   * What this agent was called with: `ctx.getSubjectToken()` in a handler. A function gives the agent's
   * own token, where it begins the work itself: `toSubject` of its credentials.
   */
  readonly subject: SubjectToken | SubjectSource
  /** Who acts: this agent's own credentials. */
  readonly actor: ClientCredentials
  /** Limits beside those that the subject token has: they can only narrow (RFC 9396). */
  readonly limits?: AuthorizationDetailsClaim | undefined
}

/**
 * Credentials to act for whoever called this agent (RFC 8693): the tokens say whose authority it is
 * (`sub`) and who acts (`act`), carry no more than the subject token did, and end with it. Name the
 * scopes that the calls need: they are all that is asked for.
 *
 * Throws `TypeError` for an actor without an issuer of its own. Attack prevented: an agent that names an issuer
 * of its choice is sent the token of whoever called.
 */
export function tokenExchange(options: TokenExchangeOptions): ClientCredentials {
  const { actor, limits, subject } = options
  const { client } = actor
  if (client.issuer === undefined) {
    throw new TypeError(
      `name the issuer of ${client.clientId}: tokens of callers are sent to it alone`,
    )
  }
  const getSubject = typeof subject === 'function' ? subject : async () => subject
  return toClientCredentials(
    client,
    {
      type: GRANT_TYPE,
      toKey: () => JSON.stringify(['exchange', toSubjectKey(subject), limits]),
      getParameters: async () => ({
        subject_token: (await getSubject()).reveal(),
        subject_token_type: ACCESS_TOKEN_TYPE,
      }),
      details: limits,
    },
    `tokenExchange(by ${client.clientId})`,
  )
}

const sources = new WeakMap<SubjectSource, string>()

/** A token is known by what it says; a source by what it is, as its tokens change. */
function toSubjectKey(subject: SubjectToken | SubjectSource): string {
  if (typeof subject !== 'function') return subject.reveal()
  const key = sources.get(subject) ?? crypto.randomUUID()
  sources.set(subject, key)
  return key
}
