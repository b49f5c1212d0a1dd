// Alice asks Bob, who asks Carol: agents that hand work on, at a server of their own.
import { TokenResponse } from '@deputy/auth/protocol'
import { AUTH_SERVER_ID } from '../src/admin/admin-scopes.ts'
import { ACCESS_TOKEN_TYPE_URI, TOKEN_EXCHANGE_GRANT_TYPE } from '../src/grants/token-exchange.ts'
import { connectAdmin, enroll } from './admin-client.ts'
import { startAuthServer } from './auth-server.ts'
import { postToken, type Answer } from './oauth-request.ts'

export const BUDGET = { type: 'budget', currency: 'USD', amount: '5.00' } as const

/** Starts the server and enrols everybody. */
export async function createDelegationWorld() {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startAuthServer())
  const operator = stack.use(connectAdmin(server))
  const scopes = ['bob:ask', 'carol:ask', 'carol:tell']
  const carol = await enroll(operator, 'agent-carol', {
    scopesSupported: ['carol:ask', 'carol:tell'],
    authorizationDetailsTypes: ['budget'],
  })
  const bob = await enroll(operator, 'agent-bob', {
    scopes,
    scopesSupported: ['bob:ask'],
    audiences: ['agent-carol'],
    delegation: { to: ['agent-carol'], maxDepth: 2 },
    authorizationDetailsTypes: ['budget'],
  })
  const alice = await enroll(operator, 'agent-alice', {
    scopes: [...scopes, 'grants:delegate'],
    audiences: ['agent-bob', 'agent-carol', AUTH_SERVER_ID],
    delegation: { to: ['agent-bob'], scopes, maxDepth: 3 },
  })
  const open = async (more: object = {}) =>
    operator.taskGrants.open.mutate({
      agentId: 'agent-alice',
      purpose: 'a report on pangolins',
      scopes,
      audiences: ['agent-bob'],
      ttlSeconds: 600,
      limits: [BUDGET],
      ...more,
    })
  const ask = async (grantId: string, form: Record<string, string> = {}): Promise<Answer> =>
    postToken(server, alice, {
      audience: 'agent-bob',
      scope: 'bob:ask carol:ask',
      authorization_details: JSON.stringify([{ type: 'task_grant', identifier: grantId }]),
      ...form,
    })
  const exchange = async (token: string, form: Record<string, string> = {}): Promise<Answer> =>
    postToken(server, bob, {
      grant_type: TOKEN_EXCHANGE_GRANT_TYPE,
      subject_token: token,
      subject_token_type: ACCESS_TOKEN_TYPE_URI,
      audience: 'agent-carol',
      scope: 'carol:ask',
      ...form,
    })
  const resources = stack.move()
  const dispose = async (): Promise<void> => resources.disposeAsync()
  const cast = { alice, bob, carol }
  return { server, operator, ...cast, open, ask, exchange, [Symbol.asyncDispose]: dispose }
}

/** The token of an answer. Throws for a refusal. */
export function readToken(answer: Answer): string {
  return TokenResponse.parse(answer.body).access_token
}
