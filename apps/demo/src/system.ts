// The whole system: three servers, started in the order in which they need each other.
import { BILLING_AGENT_ID } from '@deputy/contracts/billing'
import { RESEARCH_AGENT_ID } from '@deputy/contracts/research'
import { enrollAgents } from './enroll.ts'
import { findPort } from './find-port.ts'
import type { DemoOptions } from './options.ts'
import { startServer, type ServerProcess } from './server-process.ts'
import type { StateFolder } from './state-folder.ts'
import { writeUntrustedDocument } from './untrusted-document.ts'

export type System = AsyncDisposable & {
  readonly issuer: string
  readonly billingUrl: string
  readonly researchUrl: string
  /** Resolves with a sentence when one of the servers ends by itself. */
  readonly failed: Promise<string>
}

/** Starts everything and enrolls the agents. Rejects with `DemoError`, leaving nothing running. */
export async function startSystem(options: DemoOptions, state: StateFolder): Promise<System> {
  const authPort = await findPort(options.ports.auth, '--auth-port')
  const billingPort = await findPort(options.ports.billing, '--billing-port')
  const researchPort = await findPort(options.ports.research, '--research-port')
  const toUrl = (port: number): string => `http://127.0.0.1:${String(port)}`
  const issuer = toUrl(authPort)
  const billingUrl = toUrl(billingPort)
  const researchUrl = toUrl(researchPort)

  await using stack = new AsyncDisposableStack()
  const authServer = stack.use(
    await startServer({
      name: 'auth-server',
      url: issuer,
      logFile: state.file('logs/auth-server.log'),
      environment: {
        PORT: String(authPort),
        DEPUTY_ISSUER: issuer,
        DEPUTY_DATABASE_FILE: state.file('auth-server.sqlite'),
        DEPUTY_OPERATOR_FILE: state.credentialsFile('operator'),
      },
    }),
  )
  await enrollAgents(issuer, state)

  const shared = {
    // One machine, one clock: a token is expired here in the very second that it says.
    DEPUTY_CLOCK_TOLERANCE_SECONDS: '0',
    DEPUTY_BILLING_URL: billingUrl,
    DEPUTY_RESEARCH_URL: researchUrl,
    ...(options.documents === undefined ? {} : { DEPUTY_DOCUMENTS: options.documents }),
    DEPUTY_MORE_DOCUMENTS: writeUntrustedDocument(state),
  }
  const agents = await Promise.allSettled([
    startServer({
      name: 'billing-agent',
      url: billingUrl,
      logFile: state.file('logs/billing-agent.log'),
      environment: {
        ...shared,
        PORT: String(billingPort),
        DEPUTY_DATABASE_FILE: state.file('billing.sqlite'),
        DEPUTY_CREDENTIALS_FILE: state.credentialsFile(BILLING_AGENT_ID),
      },
    }),
    startServer({
      name: 'research-agent',
      url: researchUrl,
      logFile: state.file('logs/research-agent.log'),
      environment: {
        ...shared,
        PORT: String(researchPort),
        DEPUTY_DATABASE_FILE: state.file('research.sqlite'),
        DEPUTY_CREDENTIALS_FILE: state.credentialsFile(RESEARCH_AGENT_ID),
      },
    }),
  ])
  const running: ServerProcess[] = [authServer]
  for (const agent of agents) {
    if (agent.status === 'fulfilled') running.push(stack.use(agent.value))
  }
  const failure = agents.find((agent) => agent.status === 'rejected')
  if (failure !== undefined) throw failure.reason

  state.writeEndpoints({
    issuer,
    agents: { [BILLING_AGENT_ID]: billingUrl, [RESEARCH_AGENT_ID]: researchUrl },
  })
  const resources = stack.move()
  return {
    issuer,
    billingUrl,
    researchUrl,
    failed: Promise.race(running.map(async ({ ended }) => ended)),
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}
