import * as z from 'zod'

const Body = z.object({
  error: z.object({
    message: z.string(),
    data: z.looseObject({ reason: z.string(), httpStatus: z.number() }),
  }),
})

export type RefusedCall = {
  readonly status: number
  readonly reason: string
  readonly message: string
  readonly challenge: string | null
  readonly text: string
}

/** Calls a procedure by plain HTTP and answers how it was refused. Throws when it was not. */
export async function expectRefusal(
  url: string,
  init: RequestInit,
  fetchWith: typeof fetch,
): Promise<RefusedCall> {
  const response = await fetchWith(url, init)
  const text = await response.text()
  const { error } = Body.parse(JSON.parse(text))
  return {
    status: response.status,
    reason: error.data.reason,
    message: error.message,
    challenge: response.headers.get('www-authenticate'),
    text,
  }
}

/** A POST of JSON with a bearer token. */
export function postJson(token: string, body: unknown): RequestInit {
  return {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }
}
