// Who takes part: agents that act for a few accounts of a few organisations, some of them within budgets and quotas.
import type { Caller } from '../fake-authenticator.ts'

const OWNERS = ['system', 'acme', 'rival', 'third'] as const

/** Agents that share an account get in each other's way. */
const AGENTS_PER_ACCOUNT = 4

const SCOPES = ['billing:read', 'billing:write', 'billing:usage']
export const OPERATOR = 'operator'
const OPERATOR_SCOPES = [
  ...SCOPES,
  'billing:deposit',
  'billing:close',
  'billing:audit',
  'billing:refund',
  'billing:prices',
  'billing:quotas',
]

/** Budget of each grant, in cents: soon used up. */
export const BUDGET_MINOR = 4000

export type Player = {
  /** The agent, and the text of its token. */
  readonly id: string
  readonly account: string
  readonly ownerId: string
  /** Every fourth works below a grant with a budget. */
  readonly grantId: string | undefined
}

/** The agents, so many. */
export function createPlayers(count: number): readonly Player[] {
  return Array.from({ length: count }, (_, place) => {
    const account = Math.floor(place / AGENTS_PER_ACCOUNT)
    return {
      id: `agent-player-${String(place)}`,
      account: `agent-account-${String(account)}`,
      ownerId: OWNERS[account % OWNERS.length] ?? 'system',
      grantId: place % 4 === 0 ? `grant-${String(account)}` : undefined,
    }
  })
}

/** The same as the server knows them. */
export function toCallers(players: readonly Player[]): Readonly<Record<string, Caller>> {
  const agents = players.map(({ account, grantId, id, ownerId }): [string, Caller] => {
    const caller = { agentId: id, subject: account, ownerId, scopes: SCOPES }
    if (grantId === undefined) return [id, caller]
    const amount = (BUDGET_MINOR / 100).toFixed(2)
    const budget = { type: 'budget', currency: 'USD', amount, identifier: grantId }
    return [id, { ...caller, grantPath: ['key', grantId, `jti-of-${id}`], limits: [budget] }]
  })
  const operator: Caller = { agentId: OPERATOR, ownerId: 'system', scopes: OPERATOR_SCOPES }
  return Object.fromEntries([...agents, [OPERATOR, operator]])
}
