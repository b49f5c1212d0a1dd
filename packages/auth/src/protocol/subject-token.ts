/**
 * The access token that a call was made with, for the agent that was called to exchange (RFC 8693
 * §2.1, `subject_token`). The token is private, so that a context, an error or `console.log` that
 * prints it does not print the token.
 */
export class SubjectToken {
  readonly #token: string

  constructor(token: string) {
    this.#token = token
  }

  /** Writes the token out: only for the request that exchanges it. */
  reveal(): string {
    return this.#token
  }
}
