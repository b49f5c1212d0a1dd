/** What calls are sent with: `fetch`, or less, like `createPool` of `@deputy/client/node`. */
export type FetchLike = (url: string, init: FetchLikeInit) => Promise<FetchLikeAnswer>

export type FetchLikeInit = {
  readonly method: string
  readonly headers: Record<string, string>
  readonly body: string | null
  readonly signal: AbortSignal | null
  /** Redirects are never followed. Not `error`, which Workers do not have: an answer that is one is refused. */
  readonly redirect: 'manual'
}

export type FetchLikeAnswer = {
  readonly ok: boolean
  readonly status: number
  readonly headers: { get(name: string): string | null }
  /** The answer as it comes. Subscriptions need it: whoever subscribes gives a `fetch` that has it. */
  readonly body?: ReadableStream<Uint8Array> | null
  json(): Promise<unknown>
}
