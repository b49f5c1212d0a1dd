// Where research is run by its operator: an authorization server and billing in processes of their own, money for research,
// documents, and the settings that any number of its processes are started with.
import { systemClock } from '@deputy/auth/protocol'
import { clientSecret, createAgentClient } from '@deputy/client'
import type { BillingRouter } from '@deputy/contracts/billing'
import type { ResearchRouter } from '@deputy/contracts/research'
import { writeFile } from 'node:fs/promises'
import { connectAdmin, enroll } from '../../apps/auth-server/test-support/admin-client.ts'
import {
  createPlace,
  readOperatorFile,
  type Client,
} from '../../apps/auth-server/test-support/auth-server.ts'
import { startMain as startAuthServer } from '../../apps/auth-server/test-support/main-process.ts'
import { startMain as startBilling } from '../../apps/billing-agent/test-support/main-process.ts'
import { writeFiles } from './documents.ts'
import { findFreePort } from './find-free-port.ts'
import { createTemporaryFolder } from './temporary-folder.ts'

const BILLING = 'agent-billing-v2'
const RESEARCH = 'agent-research-v1'
const NO_LIMITS = { DEPUTY_RATE_LIMIT_TIERS: '{"standard":null}' }

/** What research has at first. */
export const DEPOSIT_MINOR = 100_000

const url = (port: number): string => `http://127.0.0.1:${String(port)}`

/** Starts all of it, but for research. */
export async function createResearchPlace(documents: Readonly<Record<string, string>>) {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTemporaryFolder())
  await writeFiles(folder.file('documents'), documents)
  const place = await createPlace(folder.path)
  const auth = stack.use(startAuthServer(place, { ...NO_LIMITS, DEPUTY_LOG_LEVEL: 'info' }))
  await auth.whenReady()
  const { issuer } = auth
  const operatorFile = await readOperatorFile(place.operatorFile)
  const operator = { id: operatorFile.client_id, secret: operatorFile.client_secret }
  const admin = stack.use(connectAdmin({ issuer, operator, clock: systemClock }))
  const billingClient = await enroll(admin, BILLING, {
    scopesSupported: ['billing:read', 'billing:write', 'billing:deposit'],
  })
  const researchClient = await enroll(admin, RESEARCH, {
    scopes: ['billing:read', 'billing:write'],
    audiences: [BILLING, RESEARCH],
    scopesSupported: ['research:read', 'research:write', 'conversations:read'],
  })
  const alice = await enroll(admin, 'agent-alice', {
    scopes: ['research:read', 'research:write'],
    audiences: [RESEARCH],
  })
  const treasurer = await enroll(admin, 'agent-treasurer', {
    scopes: ['billing:deposit', 'billing:read'],
    audiences: [BILLING],
  })
  const writeCredentials = async (client: Client): Promise<string> => {
    const file = folder.file(`${client.id}.json`)
    const content = { issuer, client_id: client.id, client_secret: client.secret, scope: '' }
    await writeFile(file, JSON.stringify(content))
    return file
  }
  const credentialsOf = ({ id, secret }: Client) => ({
    scopes: [],
    credentials: clientSecret({ issuer, clientId: id, clientSecret: secret }),
  })

  const billingPort = await findFreePort()
  const billing = stack.use(
    startBilling({
      ...NO_LIMITS,
      PORT: String(billingPort),
      DEPUTY_CREDENTIALS_FILE: await writeCredentials(billingClient),
      DEPUTY_DATABASE_FILE: folder.file('billing.sqlite'),
    }),
  )
  await billing.whenReady()
  const openBilling = (client: Client) => {
    const way = { url: url(billingPort), audience: BILLING }
    return stack.use(createAgentClient<BillingRouter>({ ...way, ...credentialsOf(client) }))
  }
  await openBilling(treasurer).billing.deposit.mutate({
    account: RESEARCH,
    amount: { amountMinor: DEPOSIT_MINOR, currency: 'USD' },
    idempotencyKey: 'opening-deposit',
  })
  const ownBilling = openBilling(researchClient)
  const environment = {
    ...NO_LIMITS,
    DEPUTY_CREDENTIALS_FILE: await writeCredentials(researchClient),
    DEPUTY_DATABASE_FILE: folder.file('research.sqlite'),
    DEPUTY_DOCUMENTS: folder.file('documents'),
  }
  const resources = stack.move()
  return {
    billingUrl: url(billingPort),
    /** The database of all processes of research. */
    databaseFile: environment.DEPUTY_DATABASE_FILE,
    /** Settings of research, but for its port, its model and where billing is. */
    environment,
    /** Alice's client of the process of research on this port. */
    openResearch: (port: number) => {
      const way = { url: url(port), audience: RESEARCH }
      return resources.use(createAgentClient<ResearchRouter>({ ...way, ...credentialsOf(alice) }))
    },
    balance: async () => ownBilling.billing.balance.query({ currency: 'USD' }),
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}
