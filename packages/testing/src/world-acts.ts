// What an operator does in a world: ends authority, opens task grants, rotates keys, reads the trail.
import type { Caller, Callable, TestCredential, TestGrant } from './party/caller.ts'
import type { AdminClient } from './party/register.ts'
import { TestToken } from './party/test-token.ts'
import type { AnyTRPCRouter } from '@trpc/server'

/** What can be ended by one act: an agent, one of its secrets, a token, a task grant. */
export type Revocable = Caller | TestCredential | TestGrant | TestToken

type OpenInput = Parameters<AdminClient['taskGrants']['open']['mutate']>[0]

export type TaskGrantOptions = Omit<OpenInput, 'agentId' | 'audiences' | 'purpose'> & {
  readonly audiences: readonly Callable<AnyTRPCRouter>[]
  /** What it is for. Default: "a test". */
  readonly purpose?: string | undefined
}

type AuditFilter = Exclude<Parameters<AdminClient['audit']['list']['query']>[0], void | undefined>

/** An entry of the audit trail. */
export type AuditEntry = Awaited<
  ReturnType<AdminClient['audit']['list']['query']>
>['entries'][number]

export type WorldActs = {
  /** Ends authority, with all that stands on it. Every agent that follows the feed knows when this resolves. */
  revoke(what: Revocable): Promise<void>
  /** Opens authority for one piece of work of the caller's. */
  taskGrant(caller: Caller, options: TaskGrantOptions): Promise<TestGrant>
  /**
   * Rotates the signing keys. By schedule, the next key has to be published for two minutes; immediately,
   * all keys are thrown away, with every token that they signed.
   */
  rotateKeys(options?: { readonly immediately?: boolean | undefined }): Promise<void>
  /** The newest 200 entries of the audit trail to which all that is given applies, oldest first. */
  audit(filter?: Omit<AuditFilter, 'cursor' | 'limit'>): Promise<readonly AuditEntry[]>
}

export type WorldActsOptions = {
  readonly admin: AdminClient
  readonly settle: () => Promise<void>
}

/** Creates the acts. */
export function createWorldActs({ admin, settle }: WorldActsOptions): WorldActs {
  async function end(what: Revocable): Promise<void> {
    if (what instanceof TestToken) {
      const { client_id: agentId, jti: tokenId } = what.claims
      await admin.tokens.revoke.mutate({ agentId, tokenId })
    } else if (!('kind' in what)) await admin.agents.deactivate.mutate({ id: what.id })
    else if (what.kind === 'grant') await admin.taskGrants.revoke.mutate({ grantId: what.id })
    else await admin.clientSecrets.deactivate.mutate({ clientSecretId: what.id })
  }

  return {
    async revoke(what) {
      await end(what)
      await settle()
    },

    async taskGrant(caller, { audiences, purpose = 'a test', ...request }) {
      const { id } = await admin.taskGrants.open.mutate({
        ...request,
        agentId: caller.id,
        purpose,
        audiences: audiences.map((agent) => agent.id),
      })
      return { kind: 'grant', id }
    },

    async rotateKeys({ immediately = false } = {}) {
      await admin.signingKeys.rotate.mutate({ immediately })
    },

    async audit(filter = {}) {
      const { entries } = await admin.audit.list.query({ ...filter, limit: 200 })
      return entries.toReversed()
    },
  }
}
