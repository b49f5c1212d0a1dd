import type { Agent } from '../agents/agent.ts'
import type { FormBody } from '../endpoints/form-body.ts'
import type { AuthorizationDetail } from './authorization-details.ts'

/** What a grant decides on: who is asking, and for what. */
export type GrantRequest = { readonly client: Agent; readonly body: FormBody }

/** What a token will say, as a grant decided it. */
export type Grant = {
  readonly audience: Agent
  readonly scopes: readonly string[]
  readonly authorizationDetails: readonly AuthorizationDetail[] | undefined
}

/** One grant type (RFC 6749 §4). Rejects with `OAuthError`. */
export type GrantType = (request: GrantRequest) => Promise<Grant>
