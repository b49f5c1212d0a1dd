// An issuer that does nothing but what the vectors ask about: for finding out whether they catch one that
// does it wrong. Not for anything else: it keeps all in memory, and takes DPoP proofs on trust.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import * as jose from 'jose'
import type { VectorWorld } from '../vector.ts'
import type { IssuerUnderTest } from '../issuer-client.ts'
import { extendAct, narrow, refine, Refused, type Agent, type Breakage } from './rules.ts'

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const LIFE_SECONDS = 900
const EXCHANGED_SECONDS = 300

/** Starts one, whole or with one thing broken. */
export async function startIssuer(
  world: VectorWorld,
  broken?: Breakage,
): Promise<IssuerUnderTest & AsyncDisposable> {
  const is = (breakage: Breakage): boolean => breakage === broken
  const agents = new Map<string, Agent>(world.agents.map((agent) => [agent.id, agent]))
  const { privateKey, publicKey } = await jose.generateKeyPair('ES256')
  const revoked = new Set<string>()
  const server = createServer((req, res) => {
    void send(req, res)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  const issuer = `http://127.0.0.1:${String(address.port)}`

  async function send(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { body, status } = await answer(req)
    res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    res.end(JSON.stringify(body))
  }

  async function answer(req: IncomingMessage): Promise<{ status: number; body: object }> {
    if (req.method === 'GET') {
      const endpoints = {
        token_endpoint: `${issuer}/token`,
        revocation_endpoint: `${issuer}/revoke`,
      }
      return { status: 200, body: { issuer, ...endpoints } }
    }
    const form = new URLSearchParams(await text(req))
    try {
      const client = authenticate(req)
      if (req.url === '/revoke') {
        revoked.add(String(jose.decodeJwt(form.get('token') ?? '').jti))
        return { status: 200, body: {} }
      }
      return { status: 200, body: await grant(client, form, await readKey(req)) }
    } catch (error) {
      if (error instanceof Refused) return { status: 400, body: { error: error.code } }
      return { status: 500, body: { error: String(error) } }
    }
  }

  function authenticate({ headers }: IncomingMessage): Agent {
    const [id = ''] = atob((headers.authorization ?? '').replace('Basic ', '')).split(':')
    const agent = agents.get(decodeURIComponent(id))
    if (agent === undefined) throw new Refused('invalid_client')
    return agent
  }

  async function grant(client: Agent, form: URLSearchParams, jkt: string | undefined) {
    const audience = form.get('audience') ?? ''
    const now = Math.floor(Date.now() / 1000)
    const jti = crypto.randomUUID()
    if (form.get('grant_type') === 'client_credentials') {
      const wanted = form.get('authorization_details')
      const hop = { subject: {}, actor: client, agents, is }
      const details = wanted === null ? [] : refine(hop, wanted, jti)
      const mayAct = form.get('may_act')
      return sign({
        sub: client.id,
        client_id: client.id,
        aud: audience,
        scope: form.get('scope') ?? '',
        iat: now,
        exp: now + (is('beyond_parent') ? 60 : LIFE_SECONDS),
        jti,
        grant_path: ['credential', jti],
        ...(mayAct === null ? {} : { may_act: { sub: mayAct } }),
        ...(details.length === 0 ? {} : { authorization_details: details }),
        ...(jkt === undefined ? {} : { cnf: { jkt } }),
      })
    }
    const subject = await readSubject(form)
    const requestedType = form.get('requested_token_type') ?? ACCESS_TOKEN
    if (requestedType !== ACCESS_TOKEN) throw new Refused('invalid_request')
    if (subject['cnf'] !== undefined && jkt === undefined && !is('binding_dropped')) {
      throw new Refused('invalid_request')
    }
    const hop = { subject, actor: client, agents, is }
    const act = extendAct(hop)
    if (!client.audiences.includes(audience)) throw new Refused('invalid_target')
    const scope = narrow(hop, form.get('scope') ?? undefined)
    const details = refine(hop, form.get('authorization_details') ?? undefined, jti)
    const path: unknown = subject['grant_path']
    const above = Array.isArray(path) && !is('path_forgotten') ? path : []
    const isSwapped = is('swapped') && act !== undefined
    const owner = subject.sub ?? ''
    return {
      ...(await sign({
        sub: isSwapped ? client.id : owner,
        client_id: is('subject_client') ? owner : client.id,
        aud: audience,
        scope,
        iat: now,
        exp: is('beyond_parent')
          ? now + LIFE_SECONDS
          : Math.min(now + EXCHANGED_SECONDS, subject.exp ?? 0),
        jti,
        grant_path: [...above, jti],
        ...(act === undefined || is('impersonating')
          ? {}
          : { act: isSwapped ? { sub: owner } : act }),
        ...(is('may_act_copied') ? { may_act: subject['may_act'] } : {}),
        ...(details.length === 0 ? {} : { authorization_details: details }),
        ...(jkt === undefined || is('binding_dropped') ? {} : { cnf: { jkt } }),
      })),
      issued_token_type: ACCESS_TOKEN,
    }
  }

  async function readSubject(form: URLSearchParams): Promise<jose.JWTPayload> {
    const type = form.get('subject_token_type')
    const token = form.get('subject_token')
    const isTypeGood = type === ACCESS_TOKEN || (type !== null && is('saml_taken'))
    if (token === null || !isTypeGood) throw new Refused('invalid_request')
    const actorToken = form.get('actor_token')
    if ((actorToken === null) !== (form.get('actor_token_type') === null)) {
      throw new Refused('invalid_request')
    }
    const subject = await verify(token)
    // None of the vectors has an agent present a good actor token: it authenticates.
    if (actorToken !== null) throw new Refused('invalid_request')
    const path: unknown = subject['grant_path']
    const above: readonly unknown[] = Array.isArray(path) ? path : []
    const isDead = revoked.has(String(subject.jti)) && !is('dead_extended')
    const isDeadAbove = above.some((id) => id !== subject.jti && revoked.has(String(id)))
    if (isDead || (isDeadAbove && !is('dead_below'))) throw new Refused('invalid_request')
    return subject
  }

  async function verify(token: string): Promise<jose.JWTPayload> {
    try {
      if (is('forged')) return jose.decodeJwt(token)
      return (await jose.jwtVerify(token, publicKey)).payload
    } catch {
      throw new Refused('invalid_request')
    }
  }

  async function sign(claims: jose.JWTPayload): Promise<object> {
    return {
      access_token: await new jose.SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
        .sign(privateKey),
      token_type: claims['cnf'] === undefined ? 'Bearer' : 'DPoP',
      scope: claims['scope'],
    }
  }

  const secrets = Object.fromEntries(world.agents.map(({ id }) => [id, 'any']))
  const close = async (): Promise<void> => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  return { issuer, secrets, [Symbol.asyncDispose]: close }
}

/** The thumbprint of the key of a proof, if there is one. */
async function readKey({ headers }: IncomingMessage): Promise<string | undefined> {
  const { dpop } = headers
  if (typeof dpop !== 'string') return undefined
  const { jwk } = jose.decodeProtectedHeader(dpop)
  if (jwk === undefined) throw new Refused('invalid_dpop_proof')
  return jose.calculateJwkThumbprint(jwk)
}
