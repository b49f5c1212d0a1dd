// Scripts of web pages that may call the agent (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol). A page's
// scripts send their token in a header, which a browser does only where the agent allows the page's origin.
import cors from 'cors'
import type { RequestListener } from 'node:http'

/** What a client has to read: challenges, nonces, limits, when to come back, and how far its clock is off. */
const EXPOSED_HEADERS = [
  'date',
  'dpop-nonce',
  'ratelimit',
  'ratelimit-policy',
  'retry-after',
  'www-authenticate',
  'x-correlation-id',
]

/** For how long a browser need not ask again. */
const MAX_AGE_SECONDS = 600

/**
 * Lets the scripts of these origins call what the listener serves. Nobody's when there are none: browsers then keep
 * the answers from every page. Throws `TypeError` for what is no origin. Never allows cookies, which nothing here reads.
 */
export function allowOrigins(
  listener: RequestListener,
  origins: readonly string[],
): RequestListener {
  for (const origin of origins) checkOrigin(origin)
  if (origins.length === 0) return listener
  const allow = cors({
    origin: [...origins],
    methods: ['GET', 'POST'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: MAX_AGE_SECONDS,
    optionsSuccessStatus: 204,
  })
  return (req, res) => {
    // Of scripts on pages: any other request has no origin to look at.
    if (req.headers.origin === undefined) listener(req, res)
    else {
      allow(req, res, () => {
        listener(req, res)
      })
    }
  }
}

/** Attack prevented: `*`, or an address with a path, that allows other pages than was meant. */
function checkOrigin(text: string): void {
  if (URL.parse(text)?.origin === text) return
  throw new TypeError(
    `allowedOrigins: ${JSON.stringify(text)} is no origin like https://app.example`,
  )
}
