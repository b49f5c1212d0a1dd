// The tools of one job, from contracts: research's own, called in its own process behind the same guard as
// any procedure, and billing's, called in the asker's name with a token that is exchanged for its own.
import { accept } from '@deputy/auth/protocol'
import type { AgentContext } from '@deputy/auth/trpc'
import type { RouterScope, ScopedClient } from '@deputy/client'
import { aiTools, readToolContract } from '@deputy/client/ai'
import {
  createBillingRouter,
  type BillingRouter,
  type BillingService,
} from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import { createDocumentRouter, type DocumentService } from '@deputy/contracts/documents'
import { createTRPCClient, localLink } from '@trpc/client'
import type { ToolSet } from 'ai'
import type { ToolPolicy } from '../loop/check-tool-call.ts'

export type JobTools = {
  readonly tools: ToolSet
  readonly policies: ReadonlyMap<string, ToolPolicy>
}

/** Opens a client of billing that acts for whoever called. */
export type OpenBillingFor = (call: Call) => BillingClient | undefined

/** Any client of billing: each call has the scopes of its procedure. */
type BillingClient = ScopedClient<BillingRouter, RouterScope<BillingRouter>>

/** Calls of one tool in one job. */
const MAX_CALLS: Readonly<Record<string, number>> = {
  documents_search: 12,
  documents_read: 12,
  documents_quote: 12,
}
const MAX_CALLS_ELSEWHERE = 3

const DOCUMENT_TOOLS = {
  'documents.search': 'Finds sentences in the documents, best first, each with its file and lines.',
  'documents.read': 'Reads lines of a document, to see what stands around a sentence.',
  'documents.quote': 'Gives the sentences that stand on lines now, word for word, to cite them.',
} as const

const BILLING_TOOLS = {
  'billing.balance': "What the asker's account holds.",
  'billing.budget': 'What is held and spent below a grant of the asker.',
} as const

/** A contract for reading: nobody stands behind it. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a router asks its service when it is called
const BILLING_CONTRACT = createBillingRouter({} as BillingService)

/** Makes the tools that the scopes of a call reach. */
export function createJobTools(
  call: Call,
  documents: DocumentService,
  billing: BillingClient | undefined,
): JobTools {
  const { scopes } = call.principal
  const router = createDocumentRouter(documents)
  const own = createTRPCClient<typeof router>({
    links: [localLink({ router, createContext: async () => toContext(call) })],
  })
  const tools: ToolSet = {
    ...aiTools<typeof router>()(keysOf(DOCUMENT_TOOLS), {
      contract: router,
      client: own,
      scopes,
      descriptions: DOCUMENT_TOOLS,
    }),
    ...(billing === undefined ? {} : createBillingTools(billing, scopes)),
  }
  return { tools, policies: toPolicies(tools) }
}

function createBillingTools(client: BillingClient, scopes: readonly string[]): ToolSet {
  return aiTools<BillingRouter>()(keysOf(BILLING_TOOLS), {
    contract: BILLING_CONTRACT,
    client,
    scopes,
    descriptions: BILLING_TOOLS,
  })
}

/** What policy knows of tools. */
export function toPolicies(tools: ToolSet): ReadonlyMap<string, ToolPolicy> {
  const policies = new Map<string, ToolPolicy>()
  for (const [name, tool] of Object.entries(tools)) {
    const contract = readToolContract(tool)
    if (contract === undefined) continue
    policies.set(name, { ...contract, maxCalls: MAX_CALLS[name] ?? MAX_CALLS_ELSEWHERE })
  }
  return policies
}

/** What a caller without a trace is in: none (W3C Trace Context §3.2.2.3). */
const NO_TRACE = '0'.repeat(32)

/** The call as a context: who called has been verified, and counted, at the door. */
function toContext({ principal, subjectToken, traceId = NO_TRACE }: Call): AgentContext {
  return {
    transport: 'http',
    correlationId: 'in-process',
    traceId,
    authenticate: async () => accept({ ...principal, limits: [] }),
    watch: () => () => undefined,
    getSubjectToken: () => subjectToken,
    observeCall: undefined,
    limit: async () => accept(undefined),
    limitStores: undefined,
    rateLimits: [],
  }
}

function keysOf<Key extends string>(record: Readonly<Record<Key, string>>): readonly Key[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the record is a constant of this file
  return Object.keys(record) as Key[]
}
