// Any sequence of requests, exchanges and revocations by agents that may all hand work to one another:
// authority only ever narrows, and what stands on something that ended is neither taken nor extended.
import {
  AccessTokenClaims,
  BudgetLimit,
  MAX_GRANT_PATH,
  TokenResponse,
  toMinorUnits,
} from '@deputy/auth/protocol'
import * as fc from 'fast-check'
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { connectAdmin, enroll } from '../../test-support/admin-client.ts'
import { startAuthServer } from '../../test-support/auth-server.ts'
import { getToken, introspect, postToken, revoke } from '../../test-support/oauth-request.ts'
import { listActors } from '../revocation/standing.ts'
import {
  ACCESS_TOKEN_TYPE_URI,
  MAX_EXCHANGED_TTL_SECONDS,
  TOKEN_EXCHANGE_GRANT_TYPE,
} from './token-exchange.ts'

const NAMES = ['agent-a', 'agent-b', 'agent-c', 'agent-d', 'agent-e'] as const
const SCOPES = ['x:read', 'x:write', 'y:read', 'y:write']
const DEPTH = 3

const ACT = fc.record({
  kind: fc.constantFrom('begin', 'exchange', 'exchange', 'exchange', 'exchange', 'revoke'),
  by: fc.nat(NAMES.length - 1),
  audience: fc.nat(NAMES.length - 1),
  /** Most of the time, whoever the token is meant for: otherwise nearly all would be spliced. */
  isHonest: fc.constantFrom(true, true, true, true, false),
  scopes: fc.option(fc.subarray(SCOPES, { minLength: 1 }), { nil: undefined, freq: 1 }),
  budget: fc.option(fc.integer({ min: 1, max: 500 }), { nil: undefined, freq: 1 }),
  /** Mostly the newest token, so that chains grow; otherwise any. */
  at: fc.oneof({ weight: 2, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: fc.nat(1000) }),
  advance: fc.constantFrom(0, 0, 0, 10, 200),
})

type Node = {
  readonly token: string
  readonly claims: AccessTokenClaims
  readonly parent: Node | undefined
}

const toDetails = (cents: number) =>
  JSON.stringify([{ type: 'budget', currency: 'USD', amount: (cents / 100).toFixed(2) }])

/** The least that may be spent by the token, in cents. */
function capOf({ authorization_details: details = [] }: AccessTokenClaims): number {
  const caps = details.map((detail) => toMinorUnits(BudgetLimit.parse(detail)) ?? Number.NaN)
  return Math.min(Number.POSITIVE_INFINITY, ...caps)
}

const scopesOf = ({ scope }: AccessTokenClaims): readonly string[] => (scope ?? '').split(' ')
const pathOf = ({ grant_path: path }: AccessTokenClaims): readonly string[] => path ?? []

async function startCircle() {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startAuthServer())
  const operator = stack.use(connectAdmin(server))
  const agents = await Promise.all(
    NAMES.map(async (name) =>
      enroll(operator, name, {
        scopes: SCOPES,
        scopesSupported: SCOPES,
        audiences: [...NAMES],
        delegation: { to: [...NAMES], maxDepth: DEPTH },
        authorizationDetailsTypes: ['budget'],
      }),
    ),
  )
  const resources = stack.move()
  return { server, agents, [Symbol.asyncDispose]: async () => resources.disposeAsync() }
}

function checkNarrowing({ claims, parent }: Node): void {
  if (parent === undefined) return
  const above = parent.claims
  expect(scopesOf(above)).toEqual(expect.arrayContaining([...scopesOf(claims)]))
  expect(claims.exp).toBeLessThanOrEqual(above.exp)
  expect(claims.exp - claims.iat).toBeLessThanOrEqual(MAX_EXCHANGED_TTL_SECONDS)
  expect(claims.sub).toBe(above.sub)
  expect(pathOf(claims)).toEqual([...pathOf(above), claims.jti])
  expect(pathOf(claims).length).toBeLessThanOrEqual(MAX_GRANT_PATH)
  expect(capOf(claims)).toBeLessThanOrEqual(capOf(above))
  // What was limited above stays limited, and is counted where it was.
  expect(claims.authorization_details ?? []).toEqual(
    expect.arrayContaining([...(above.authorization_details ?? [])]),
  )
  const [before, after] = [listActors(above.act), listActors(claims.act)]
  const isContinued = claims.client_id === above.client_id
  expect(after).toEqual(isContinued ? before : [claims.client_id, ...before])
  expect(after.length).toBeLessThanOrEqual(DEPTH)
  expect(new Set([claims.sub, ...after]).size).toBe(after.length + 1)
}

test('no sequence of exchanges widens anything, and nothing outlives what it stands on', async () => {
  const seen = { exchanged: 0, refused: 0, deepest: 0, ended: 0 }
  await fc.assert(
    fc.asyncProperty(fc.array(ACT, { minLength: 10, maxLength: 25, size: 'max' }), async (acts) => {
      await using circle = await startCircle()
      const { agents, server } = circle
      const agentAt = (place: number) => {
        const agent = agents[place]
        if (agent === undefined) throw new Error(`there is no agent ${String(place)}`)
        return agent
      }
      const nodes: Node[] = []
      /** Of acts that must not fail, and of refusals that must be 400. */
      const statuses: number[] = []
      /** Whether the token was dead, of each that was extended. */
      const extended: boolean[] = []
      const dead = new Set<string>()
      const isDead = ({ claims }: Node): boolean =>
        claims.exp <= server.clock.now() || pathOf(claims).some((id) => dead.has(id))

      for (const act of acts) {
        server.clock.advance(act.advance)
        const audience = NAMES[act.audience] ?? NAMES[0]
        const form = {
          audience,
          ...(act.scopes === undefined ? {} : { scope: act.scopes.join(' ') }),
          ...(act.budget === undefined ? {} : { authorization_details: toDetails(act.budget) }),
        }
        const chosen = nodes.at(act.at % Math.max(1, nodes.length))
        if (act.kind === 'begin' || chosen === undefined) {
          const token = await getToken(server, agentAt(act.by), form)
          nodes.push({
            token,
            claims: AccessTokenClaims.parse(decodeJwt(token)),
            parent: undefined,
          })
          continue
        }
        if (act.kind === 'revoke') {
          const holder = agents.find(({ id }) => id === chosen.claims.client_id)
          if (holder === undefined) throw new Error('every token has a holder')
          statuses.push((await revoke(server, holder, chosen.token)).status)
          if (!isDead(chosen)) seen.ended += 1
          dead.add(chosen.claims.jti)
          continue
        }
        const meant = agents.find(({ id }) => id === chosen.claims.aud)
        const answer = await postToken(server, (act.isHonest && meant) || agentAt(act.by), {
          grant_type: TOKEN_EXCHANGE_GRANT_TYPE,
          subject_token: chosen.token,
          subject_token_type: ACCESS_TOKEN_TYPE_URI,
          ...form,
        })
        if (answer.status !== 200) {
          seen.refused += 1
          statuses.push(answer.status === 400 ? 200 : answer.status)
          continue
        }
        extended.push(isDead(chosen))
        const { access_token: token } = TokenResponse.parse(answer.body)
        const node = { token, claims: AccessTokenClaims.parse(decodeJwt(token)), parent: chosen }
        checkNarrowing(node)
        nodes.push(node)
        seen.exchanged += 1
        seen.deepest = Math.max(seen.deepest, listActors(node.claims.act).length)
      }

      expect(extended).not.toContain(true)
      expect(new Set([200, ...statuses])).toEqual(new Set([200]))
      for (const node of nodes) {
        const meant = agents.find(({ id }) => id === node.claims.aud)
        if (meant === undefined) throw new Error('every token is meant for one of them')
        const { body } = await introspect(server, meant, node.token)
        expect([node.claims.jti, body['active']]).toEqual([node.claims.jti, !isDead(node)])
      }
    }),
    { numRuns: 30 },
  )
  // The property says something only where all of this happened.
  expect(seen.exchanged).toBeGreaterThan(30)
  expect(seen.refused).toBeGreaterThan(10)
  expect(seen.ended).toBeGreaterThan(5)
  expect(seen.deepest).toBeGreaterThan(1)
}, 60_000)
