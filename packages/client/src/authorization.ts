import type { EpochSeconds } from '@deputy/auth/protocol'

/** The headers that an authorization may consist of. */
export type AuthorizationHeaders = {
  readonly authorization?: string
  readonly 'x-api-key'?: string
}

/** A request as a proof of possession names it (RFC 9449 §4.2). For a WebSocket: GET and its http(s) URL. */
export type RequestToProve = { readonly method: string; readonly url: string }

/** Proves the possession of the key that a token is bound to, for one request at a time. */
export type ProofSigner = {
  /** Makes a proof. */
  prove(request: RequestToProve): Promise<string>
  /**
   * Told of each answer: keeps the server's nonce and the difference of its clock. Answers whether the
   * request was refused for want of them, so that it is to be sent once more with a new proof.
   */
  observe(url: string, answer: AnswerToProof): boolean
}

/** What of an answer a signer looks at. */
export type AnswerToProof = {
  readonly status: number
  readonly headers: { get(name: string): string | null }
}

export type AuthorizationOptions = {
  /** Names it where it is printed. */
  readonly id?: string | undefined
  readonly expiresAt?: EpochSeconds | undefined
  /** For a token that is bound to a key. */
  readonly signer?: ProofSigner | undefined
}

/**
 * What a call is authorized with. The headers are private, so that a logger link, an error or
 * `console.log` that prints an operation's context does not print the token.
 */
export class Authorization {
  readonly #headers: AuthorizationHeaders
  readonly #options: AuthorizationOptions

  constructor(headers: AuthorizationHeaders, options: AuthorizationOptions = {}) {
    this.#headers = Object.freeze({ ...headers })
    this.#options = options
  }

  /** When it ends, where that is known. */
  get expiresAt(): EpochSeconds | undefined {
    return this.#options.expiresAt
  }

  /** Writes the headers out, without a proof: only for the link that sends them. */
  toHeaders(): Record<string, string> {
    return { ...this.#headers }
  }

  /** Writes the headers of one request out, with a proof of its own where the token is bound to a key. */
  async toRequestHeaders(request: RequestToProve): Promise<Record<string, string>> {
    const { signer } = this.#options
    if (signer === undefined) return this.toHeaders()
    return { ...this.#headers, dpop: await signer.prove(request) }
  }

  /** Told of each answer to a request that it went with. Answers whether to send it once more. */
  observe(url: string, answer: AnswerToProof): boolean {
    return this.#options.signer?.observe(url, answer) ?? false
  }

  /** Says which one it is, and nothing that it could be used with. */
  toString(): string {
    return `Authorization(${this.#options.id ?? 'unnamed'})`
  }

  toJSON(): string {
    return this.toString()
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

/** Authorizes the calls of one client. Each kind of credentials makes one. */
export type Authorizer = {
  /** What to send with a call now. Rejects with `ClientError` when there is nothing good to send. */
  authorize(signal?: AbortSignal): Promise<Authorization>
  /** The same where it is there already, so that nobody waits for it. Left out, every call asks. */
  peek?(): Authorization | undefined
  /**
   * Told that an agent answered `invalid_token` to this authorization. Answers whether asking again
   * can give a different one.
   */
  renew(refused: Authorization): boolean
  /**
   * Renews the authorization when it is due, whether or not anybody calls, and tells of each new one, for as long
   * as it is watched: what a connection that stays open needs. Left out where nothing is renewed.
   */
  watch?(onRenewed: (authorization: Authorization) => void): () => void
}

/** A call that somebody has to approve: its token is good for this one call. */
export type CallForApproval = {
  readonly procedure: string
  /** `hashInput` of what is sent. */
  readonly inputSha256: string
  /** Shown to whoever decides. */
  readonly input?: unknown
  /** Shown to whoever decides; at most 200 characters. */
  readonly message?: string | undefined
  /** Whether the authorization is waited for until somebody has decided. Otherwise `approval_pending`. */
  readonly isWaitedFor: boolean
}

/** What an agent says of itself (RFC 9728), as far as a token for it needs it. */
export type DiscoveredAgent = {
  /** Its URL, as the authorization server knows it: the `resource` of token requests (RFC 8707). */
  readonly resource: string
  /** The issuers that it takes tokens from. */
  readonly issuers: readonly string[]
  /** All scopes that its procedures need. */
  readonly scopes: readonly string[]
}

/** For whom a client's calls are authorized. */
export type AuthorizationTarget = {
  /** The id of the agent that is called: the `audience` of its tokens. Left out, the agent is asked. */
  readonly audience?: string | undefined
  /** The agent's URL as the authorization server knows it (RFC 8707), in place of its id. */
  readonly resource?: string | undefined
  /** What the calls need; empty asks for everything that this caller may do there. */
  readonly scopes: readonly string[]
  /** Asks the agent, where neither is known. Remembers the answer. */
  readonly discover?: (() => Promise<DiscoveredAgent>) | undefined
  /** For one call that somebody has to approve. */
  readonly approval?: CallForApproval | undefined
}

/**
 * An agent's credentials as a value: a function, so that printing it shows no secret. Whoever has
 * another way to authorize calls writes one.
 */
export type Credentials = (target: AuthorizationTarget) => Authorizer
