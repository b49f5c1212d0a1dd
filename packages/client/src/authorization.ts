/** The headers that an authorization may consist of. */
export type AuthorizationHeaders = {
  readonly authorization?: string
  readonly 'x-api-key'?: string
}

/**
 * What a call is authorized with. The headers are private, so that a logger link, an error or
 * `console.log` that prints an operation's context does not print the token.
 */
export class Authorization {
  readonly #headers: AuthorizationHeaders

  constructor(headers: AuthorizationHeaders) {
    this.#headers = Object.freeze({ ...headers })
  }

  /** Writes the headers out: only for the link that sends them. */
  toHeaders(): Record<string, string> {
    return { ...this.#headers }
  }
}

/** Authorizes the calls of one client. Each kind of credentials makes one. */
export type Authorizer = {
  /** What to send with a call now. Rejects with `ClientError` when there is nothing good to send. */
  authorize(): Promise<Authorization>
  /**
   * Told that an agent answered `invalid_token` to this authorization. Answers whether asking again
   * can give a different one.
   */
  renew(refused: Authorization): boolean
}

/** For whom a client's calls are authorized. */
export type AuthorizationTarget = {
  /** The id of the agent that is called: the `audience` of its tokens. */
  readonly audience: string
  /** What the calls need; empty asks for everything that this caller may do there. */
  readonly scopes: readonly string[]
}

/** An agent's credentials as a value: a function, so that printing it shows nothing. */
export type Credentials = (target: AuthorizationTarget) => Authorizer
