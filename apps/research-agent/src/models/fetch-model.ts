// How a model's provider is asked: it is somebody else's server, with our key.

/** Larger answers are no answers: `maxOutputTokens` are a few thousand. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024

/**
 * Fetches as `fetch` does, but follows no redirect, which would take the key along: it is an answer that failed. Rejects
 * for an answer without end.
 */
export const fetchModel: typeof fetch = async (input, init) => {
  const response = await fetch(input, { ...init, redirect: 'manual' })
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of response.body ?? []) {
    bytes += part.byteLength
    if (bytes > MAX_ANSWER_BYTES) throw new RangeError('the answer of the model is too large')
    parts.push(part)
  }
  const { headers, status, statusText } = response
  return new Response(Buffer.concat(parts), { status, statusText, headers })
}
