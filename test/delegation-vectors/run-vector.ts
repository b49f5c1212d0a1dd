// Runs one vector against an issuer, and says everything that it did wrong.
import { decodeJwt, type JWTPayload } from 'jose'
import { isDeepStrictEqual } from 'node:util'
import * as z from 'zod'
import {
  connectIssuer,
  createProofKey,
  type Answer,
  type IssuerUnderTest,
  type ProofKey,
} from './issuer-client.ts'
import type { Expectation, TokenStep, Vector } from './vector.ts'

/** `faults` is empty where the issuer does as it should, or the vector does not apply to it. */
export type Outcome = { readonly id: string; readonly faults: readonly string[] }

const Details = z.array(z.looseObject({ type: z.string() })).default([])
const Budget = z.object({ type: z.literal('budget'), amount: z.string() })

/** Runs the steps in their order, until one is not as expected. */
export async function runVector(issuer: IssuerUnderTest, vector: Vector): Promise<Outcome> {
  const client = await connectIssuer(issuer)
  const tokens = new Map<string, string>()
  const keys = new Map<string, ProofKey>()
  const keyOf = async (name: string): Promise<ProofKey> => {
    const key = keys.get(name) ?? (await createProofKey())
    keys.set(name, key)
    return key
  }
  const claimsOf = (name: string): JWTPayload => decodeJwt(tokens.get(name) ?? '')

  for (const step of vector.steps) {
    if ('revoke' in step) {
      await client.revoke(step.as, resolve(step.revoke, tokens))
      continue
    }
    const form = Object.fromEntries(
      Object.entries(step.form).map(([name, value]) => [name, resolve(value, tokens)]),
    )
    const key = step.dpop === undefined ? undefined : await keyOf(step.dpop)
    const answer = await client.token(step.as, form, key)
    if (step.optional === true && answer.status !== 200) return { id: vector.id, faults: [] }
    const faults = check(step, answer, { keys, claimsOf })
    if (faults.length > 0) {
      return { id: vector.id, faults: faults.map((fault) => `${step.name}: ${fault}`) }
    }
    const token = answer.body['access_token']
    if (typeof token === 'string') tokens.set(step.name, token)
  }
  return { id: vector.id, faults: [] }
}

/** Puts in what a step got. */
function resolve(value: string, tokens: ReadonlyMap<string, string>): string {
  if (!value.startsWith('$')) return value
  const [name = '', change] = value.slice(1).split('!')
  const token = tokens.get(name)
  if (token === undefined) throw new TypeError(`no step before has the name ${name}`)
  return change === 'forged' ? forge(token) : token
}

/** Another subject under the old signature. */
function forge(token: string): string {
  const [head = '', , signature = ''] = token.split('.')
  const claims = JSON.stringify({ ...decodeJwt(token), sub: 'agent-mallory' })
  return [head, Buffer.from(claims).toString('base64url'), signature].join('.')
}

type Known = {
  readonly keys: ReadonlyMap<string, ProofKey>
  readonly claimsOf: (name: string) => JWTPayload
}

function check({ expect = {} }: TokenStep, { body, status }: Answer, known: Known): string[] {
  const { error } = body
  if (expect.error !== undefined) {
    if (status < 400) return [`it was granted; expected ${expect.error.join(' or ')}`]
    const isExpected = status === 400 && expect.error.some((code) => code === error)
    return isExpected ? [] : [`${String(status)} ${String(error)}`]
  }
  const token = body['access_token']
  if (status !== 200 || typeof token !== 'string') {
    return [`it was refused: ${String(error)}: ${String(body['error_description'])}`]
  }
  return [...checkClaims(expect, decodeJwt(token), known), ...compare(expect.response, body)]
}

function checkClaims(expect: Expectation, claims: JWTPayload, { claimsOf, keys }: Known): string[] {
  const faults = compare(expect.claims, claims)
  const { boundTo, extendsPath, keepsLimitsOf, notAfter, smallestBudget } = expect
  if (notAfter !== undefined && (claims.exp ?? Infinity) > (claimsOf(notAfter).exp ?? 0)) {
    faults.push(`it outlives the token of ${notAfter}`)
  }
  if (extendsPath !== undefined) {
    const before = claimsOf(extendsPath)['grant_path']
    const wanted = [...(Array.isArray(before) ? before : []), claims.jti]
    faults.push(...compare({ grant_path: wanted }, claims))
  }
  const details = Details.parse(claims['authorization_details'])
  if (keepsLimitsOf !== undefined) {
    const carried = Details.parse(claimsOf(keepsLimitsOf)['authorization_details'])
    const isLost = carried.some((one) => !details.some((two) => isDeepStrictEqual(one, two)))
    if (carried.length === 0 || isLost) faults.push(`a limit of ${keepsLimitsOf} is lost`)
  }
  if (smallestBudget !== undefined) {
    const amounts = details.flatMap((one) => Budget.safeParse(one).data?.amount ?? [])
    const least = amounts.toSorted((a, b) => Number(a) - Number(b))[0]
    if (least !== smallestBudget) faults.push(`the smallest budget is ${String(least)}`)
  }
  if (boundTo !== undefined) {
    faults.push(...compare({ cnf: { jkt: keys.get(boundTo)?.jkt } }, claims))
  }
  return faults
}

/** What is not as it should be; `null` is for what must not be there. */
function compare(wanted: Record<string, unknown> = {}, found: object): string[] {
  return Object.entries(wanted).flatMap(([name, value]) => {
    const other: unknown = Reflect.get(found, name)
    return isDeepStrictEqual(other ?? null, value)
      ? []
      : [`${name} is ${JSON.stringify(other)} in place of ${JSON.stringify(value)}`]
  })
}
