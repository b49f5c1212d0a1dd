import * as z from 'zod'

const Failure = z.object({
  error: z.object({
    code: z.number(),
    message: z.string(),
    data: z.record(z.string(), z.unknown()),
  }),
})
const Success = z.object({ result: z.object({ data: z.unknown() }) })

/** Calls procedures of an agent with nothing but `fetch`, as tRPC's wire format has it. */
export async function callTrpc(
  url: string,
  path: string,
  options: {
    readonly input?: unknown
    readonly headers?: Record<string, string>
    readonly method?: string
    /** Default: the global one. */
    readonly fetch?: typeof fetch
  } = {},
) {
  const { fetch: fetchWith = fetch, headers = {}, input, method = 'GET' } = options
  const query = input === undefined ? '' : `?input=${encodeURIComponent(JSON.stringify(input))}`
  const response =
    method === 'GET'
      ? await fetchWith(`${url}/trpc/${path}${query}`, { headers })
      : await fetchWith(`${url}/trpc/${path}`, {
          method,
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify(input ?? {}),
        })
  const text = await response.text()
  return {
    status: response.status,
    header: (name: string) => response.headers.get(name),
    text,
    /** What the procedure answered. Throws when it was refused. */
    data: () => Success.parse(JSON.parse(text)).result.data,
    /** How the call was refused. Throws when it was answered. */
    error: () => Failure.parse(JSON.parse(text)).error,
    /** For a batch: each answer, as it was sent. */
    answers: () => z.array(z.record(z.string(), z.unknown())).parse(JSON.parse(text)),
  }
}

export const bearer = (token: string): Record<string, string> => ({
  authorization: `Bearer ${token}`,
})
