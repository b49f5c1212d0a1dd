// The OAuth side of the server on hono: paths to endpoints, and the one place where what an endpoint
// throws becomes an answer (RFC 6749 §5.2).
import { AUTHORIZATION_SERVER_METADATA_PATH } from '@deputy/auth/protocol'
import type { Logger } from '@deputy/serve'
import { Hono, type Handler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { KeyRing } from './keys/key-ring.ts'
import { JWKS_CACHE_SECONDS } from './keys/key-schedule.ts'
import { createMetadata, ENDPOINT_PATH } from './endpoints/metadata.ts'
import { MAX_FORM_BYTES } from './endpoints/form-body.ts'
import { OAuthError } from './oauth-error.ts'
import { redactSecrets } from './redact-secrets.ts'

export type RoutesOptions = {
  readonly issuer: string
  readonly keyRing: Pick<KeyRing, 'publicKeys'>
  readonly token: Handler
  readonly introspect: Handler
  readonly logger: Logger
}

/** Creates the routes. */
export function createRoutes(options: RoutesOptions): Hono {
  const { issuer, keyRing, logger } = options
  const app = new Hono()
  const limit = bodyLimit({
    maxSize: MAX_FORM_BYTES,
    onError: () => {
      const message = `the body is larger than ${String(MAX_FORM_BYTES)} bytes`
      throw new OAuthError({ code: 'invalid_request', message, status: 413 })
    },
  })

  // > The authorization server MUST include the HTTP "Cache-Control" response header field with a
  // > value of "no-store" in any response containing tokens […] as well as the "Pragma" response
  // > header field with a value of "no-cache". (RFC 6749 §5.1)
  app.use('/oauth/*', async (context, next) => {
    context.header('cache-control', 'no-store')
    context.header('pragma', 'no-cache')
    await next()
  })
  app.post(ENDPOINT_PATH.token, limit, options.token)
  app.post(ENDPOINT_PATH.introspect, limit, options.introspect)
  for (const path of [ENDPOINT_PATH.token, ENDPOINT_PATH.introspect]) {
    app.all(path, (context) => {
      throw new OAuthError({
        code: 'invalid_request',
        message: `use POST, not ${context.req.method}`,
        status: 405,
        headers: { allow: 'POST' },
      })
    })
  }
  const metadata = createMetadata(issuer)
  for (const [path, read] of [
    [ENDPOINT_PATH.jwks, () => keyRing.publicKeys()],
    [AUTHORIZATION_SERVER_METADATA_PATH, () => metadata],
  ] as const) {
    app.get(path, (context) => {
      context.header('cache-control', `public, max-age=${String(JWKS_CACHE_SECONDS)}`)
      return context.json(read())
    })
  }

  app.notFound((context) =>
    context.json({ error: 'not_found', message: 'there is nothing here' }, 404),
  )
  app.onError((error, context) => {
    if (error instanceof OAuthError) {
      const { code, headers, message, status } = error
      logger.info(
        { path: context.req.path, error: code, status, detail: redactSecrets(message) },
        'refused',
      )
      return context.json({ error: code, error_description: toDescription(message) }, status, {
        'cache-control': 'no-store',
        ...headers,
      })
    }
    const correlationId = crypto.randomUUID()
    logger.error({ path: context.req.path, correlationId, err: error }, 'failed')
    return context.json(
      {
        error: 'server_error',
        error_description: `internal error, see the log at ${correlationId}`,
      },
      500,
      { 'cache-control': 'no-store' },
    )
  })
  return app
}

/** RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E; what lies outside becomes an apostrophe. */
function toDescription(message: string): string {
  return message.replace(/[^\x20-\x21\x23-\x5B\x5D-\x7E]/g, "'")
}
