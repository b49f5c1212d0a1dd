import type { ActClaim, AuthorizationDetailsClaim, EpochSeconds } from '@deputy/auth/protocol'
import type { Client } from '../agents/agent.ts'
import type { AuditEvent } from '../audit/audit-event.ts'
import type { ClientDirectory } from '../clients/client-directory.ts'
import type { GrantNode } from '../delegation/grant-node.ts'
import type { Trail } from '../endpoints/audited.ts'
import type { FormBody } from '../endpoints/form-body.ts'

/** What a grant decides on: who is asking, and for what. */
export type GrantRequest = {
  readonly client: Client
  /** The secret or key that the client proved itself with. */
  readonly credentialId: string
  /** The key that the new token will be bound to, where the client proved to hold one. */
  readonly confirmation: { readonly jkt: string } | undefined
  readonly body: FormBody
  /** What an audit entry has of the request. */
  readonly context: Partial<AuditEvent>
  /** Where agents are looked up. */
  readonly clients: ClientDirectory
  /** Told what belongs into the entry of a refusal. */
  readonly trail: Trail
}

/** What a token will say, as a grant decided it. */
export type Grant = {
  readonly audience: Client
  readonly scopes: readonly string[]
  readonly authorizationDetails: AuthorizationDetailsClaim | undefined
  /** The new token's `jti`. */
  readonly tokenId: string
  readonly grantPath: readonly string[]
  readonly mayAct?: string | undefined
  /** The approval of the one call that it is for. */
  readonly approvalId?: string | undefined
  /** What it takes from a token or a task grant that it stands on; without, the client acts for itself. */
  readonly derived?: Derivation | undefined
}

/** A token that stands on another one, or on a task grant. */
export type Derivation = {
  readonly subject: string
  readonly act: ActClaim | undefined
  /** It ends then at the latest. */
  readonly expiresAt: EpochSeconds
  /** RFC 8693 §2.2.1; of an exchange only. */
  readonly issuedTokenType?: string | undefined
  /** Its place in the tree of grants, written before the answer. */
  readonly node: GrantNode
}

/** One grant type (RFC 6749 §4). Rejects with `OAuthError`. */
export type GrantType = (request: GrantRequest) => Promise<Grant>
