// Looks at a token response as a resource server would, with nothing but `node:crypto`: nobody wins by an
// answer that is quick and wrong.
import { createPublicKey, verify, type JsonWebKey } from 'node:crypto'
import { REQUESTED_SCOPE, TARGET_ID, TOKEN_TTL_SECONDS } from './scenario.ts'

export type CheckTokenOptions = {
  /** The body of the answer. */
  readonly body: string
  /** The body of the JWKS. */
  readonly jwks: string
  /** Whose token it must be. Default: anybody's. */
  readonly clientId?: string | undefined
}

/** Throws `TypeError` when the token is not the one that was asked for, signed by a published key. */
export function checkToken({ body, clientId, jwks }: CheckTokenOptions): void {
  const response = parseObject(body)
  const token = response['access_token']
  if (typeof token !== 'string') throw new TypeError('there is no token in the answer')
  const [head = '', payload = '', signature = ''] = token.split('.')
  const { alg, kid, typ } = parsePart(head)
  expectSame(
    { alg, typ, type: response['token_type'] },
    { alg: 'ES256', typ: 'at+jwt', type: 'Bearer' },
  )
  const key = createPublicKey({ key: findKey(jwks, kid), format: 'jwk' })
  const bytes = Buffer.from(`${head}.${payload}`)
  const isSigned = verify(
    'sha256',
    bytes,
    { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  )
  if (!isSigned) throw new TypeError('the signature is wrong')
  const { aud, client_id: issuedTo, exp, iat, jti, scope, sub } = parsePart(payload)
  if (typeof jti !== 'string') throw new TypeError('the token has no id')
  const lifeSeconds = Number(exp) - Number(iat)
  const who = clientId ?? String(issuedTo)
  expectSame(
    { aud, scope, lifeSeconds, issuedTo, sub },
    {
      aud: TARGET_ID,
      scope: REQUESTED_SCOPE,
      lifeSeconds: TOKEN_TTL_SECONDS,
      issuedTo: who,
      sub: who,
    },
  )
}

function findKey(jwks: string, kid: unknown): JsonWebKey {
  const { keys } = parseObject(jwks)
  const list: unknown[] = Array.isArray(keys) ? keys : []
  const key = list.filter(isObject).find((key) => key['kid'] === kid)
  if (key === undefined) throw new TypeError('the key of the signature is not published')
  return key
}

function expectSame(found: object, wanted: object): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)]
  if (a !== b) throw new TypeError(`the token says ${a} in place of ${b}`)
}

function parsePart(text: string): Record<string, unknown> {
  return parseObject(Buffer.from(text, 'base64url').toString('utf8'))
}

function parseObject(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text)
  if (!isObject(value)) throw new TypeError('there is no JSON object')
  return value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
