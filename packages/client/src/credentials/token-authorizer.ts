import { Authorization, type Authorizer } from '../authorization.ts'
import type { DpopSigner } from '../dpop/dpop-signer.ts'
import type { AccessToken } from '../token/access-token.ts'
import type { ApprovedToken } from '../token/approved-token.ts'

export type TokenAuthorizerOptions = {
  readonly getToken: () => Promise<AccessToken>
  /** See `TokenSlot.peek`. */
  readonly peekToken?: (() => AccessToken | undefined) | undefined
  /** See `TokenSlot.discard`. */
  readonly discard: (token: AccessToken) => boolean
  /** Given, every authorization is for one call that was approved. */
  readonly approved?: ApprovedToken | undefined
  /** See `TokenSlot.watch`. */
  readonly watchTokens?: ((onToken: (token: AccessToken) => void) => () => void) | undefined
  readonly signer?: DpopSigner | undefined
}

/** One token is one authorization, by identity: links compare and batch by it. */
const authorizations = new WeakMap<AccessToken, Authorization>()

/** Authorizes calls with tokens that are asked for as they are needed. */
export function createTokenAuthorizer(options: TokenAuthorizerOptions): Authorizer {
  const { approved, discard, getToken, peekToken, signer, watchTokens } = options
  let latest: { readonly token: AccessToken; readonly authorization: Authorization } | undefined

  function note(token: AccessToken): Authorization {
    if (latest?.token !== token) {
      latest = { token, authorization: toAuthorization(token, signer) }
    }
    return latest.authorization
  }

  return {
    async authorize(signal) {
      return note(await (approved ? approved.get(signal) : getToken()))
    },

    peek() {
      const token = approved === undefined ? peekToken?.() : undefined
      return token === undefined ? undefined : note(token)
    },

    watch: (onRenewed) =>
      watchTokens?.((token) => {
        onRenewed(note(token))
      }) ?? (() => undefined),

    renew(refused) {
      if (approved !== undefined) return approved.discard()
      return latest?.authorization === refused ? discard(latest.token) : true
    },
  }
}

function toAuthorization(token: AccessToken, signer: DpopSigner | undefined): Authorization {
  const known = authorizations.get(token)
  if (known !== undefined) return known
  const value = token.reveal()
  const bound =
    token.type === 'DPoP' && signer !== undefined
      ? {
          prove: async (request: Parameters<DpopSigner['prove']>[0]) =>
            signer.prove(request, value),
          observe: (...seen: Parameters<DpopSigner['observe']>) => signer.observe(...seen),
        }
      : undefined
  const authorization = new Authorization(
    { authorization: `${token.type} ${value}` },
    { id: `token ${token.id}`, expiresAt: token.expiresAt, signer: bound },
  )
  authorizations.set(token, authorization)
  return authorization
}
