// What the compiler says of credentials as values: which can stand for which, and that others can write theirs.
import { expectTypeOf } from 'vitest'
import type { SubjectToken } from '@deputy/auth/protocol'
import {
  apiKey,
  Authorization,
  clientSecret,
  createAgentClient,
  fromEnvironment,
  privateKeyJwt,
  taskGrant,
  tokenExchange,
  type AuthorizationTarget,
  type ClientCredentials,
  type Credentials,
} from '@deputy/client'

declare const subject: SubjectToken
const client = { issuer: 'https://issuer.example', clientId: 'agent-alice-v1' }
const own = clientSecret({ ...client, clientSecret: 'cs-agent-…' })

// Everything that there is can authorize a client's calls.
expectTypeOf(own).toEqualTypeOf<ClientCredentials>()
expectTypeOf(privateKeyJwt).returns.toEqualTypeOf<ClientCredentials>()
expectTypeOf(taskGrant).returns.toEqualTypeOf<ClientCredentials>()
expectTypeOf(tokenExchange).returns.toExtend<Credentials>()
expectTypeOf(apiKey).returns.toExtend<Credentials>()
expectTypeOf(fromEnvironment).returns.toExtend<Credentials>()
expectTypeOf<ClientCredentials>().toExtend<Credentials>()

// @ts-expect-error -- a secret without whose it is
clientSecret({ issuer: client.issuer, clientSecret: 'x' })
// @ts-expect-error -- a secret is sent to one issuer, which has to be said
clientSecret({ clientId: client.clientId, clientSecret: 'x' })
// @ts-expect-error -- a task grant is for a client's own credentials: an API key has no tokens
taskGrant('task-1', apiKey('sk-agent-…'))
// @ts-expect-error -- whose authority is exchanged?
tokenExchange({ actor: own })
// @ts-expect-error -- an API key acts for nobody
tokenExchange({ subject, actor: apiKey('sk-agent-…') })
tokenExchange({ subject, actor: own })
// @ts-expect-error -- the text of a token is no value that hides it
tokenExchange({ subject: 'eyJ…', actor: own })
// What stands on a task can be handed on.
const target = { audience: client.clientId, scopes: ['ledger:read'] }
tokenExchange({ subject: taskGrant('task-1', own).toSubject(target), actor: own })

// A function of one's own is as good as any of these.
const header: Credentials = ({ audience, scopes }) => {
  expectTypeOf(audience).toEqualTypeOf<string | undefined>()
  expectTypeOf(scopes).toEqualTypeOf<readonly string[]>()
  return {
    authorize: async () => new Authorization({ authorization: 'Bearer …' }, { id: 'mine' }),
    renew: (refused) => refused.expiresAt !== undefined,
  }
}
createAgentClient({ url: 'https://x.example', credentials: header })
expectTypeOf(header).parameter(0).toEqualTypeOf<AuthorizationTarget>()
// @ts-expect-error -- text is no authorization: it would be printed
export const text: Credentials = () => ({ authorize: async () => 'Bearer …', renew: () => false })
// @ts-expect-error -- nor is a secret by itself
createAgentClient({ url: 'https://x.example', credentials: 'cs-agent-…' })
