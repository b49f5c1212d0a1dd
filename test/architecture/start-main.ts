// An agent that says which packages it has loaded: when it can be called, when it has answered a caller whose token it
// verified with its issuer's keys, and when it was called in ways that are rare.
import { registerHooks } from 'node:module'
import { startIssuer } from './start-issuer.ts'

const urls = new Set<string>()
registerHooks({
  load(url, context, next) {
    urls.add(url)
    return next(url, context)
  },
})
const { createIssuerAuthenticator } = await import('@deputy/auth')
const { agentRouter, scopedProcedure } = await import('@deputy/auth/trpc')
const { createLogger, serveAgent } = await import('@deputy/serve')

/** By name, and of tRPC each file that is an entry. */
function listPackages(): string[] {
  const names = [...urls].flatMap((url) => {
    const inside = url.split('/node_modules/').at(-1)
    if (inside === undefined || inside === url) return []
    const [first = '', second = ''] = inside.split('/')
    const name = first.startsWith('@') ? `${first}/${second}` : first
    const adapter = /dist\/(adapters\/[\w-]+)/.exec(inside)?.[1]
    return adapter === undefined ? [name] : [name, `${name}/${adapter}`]
  })
  return [...new Set(names)].toSorted()
}

const listHasUndici = (): boolean => {
  const builtIn: unknown = Reflect.get(process, 'moduleLoadList')
  return Array.isArray(builtIn) && builtIn.includes('NativeModule internal/deps/undici/undici')
}

const countOwnFiles = (): number => [...urls].filter((url) => url.includes('/packages/')).length

const issuer = await startIssuer()
const agent = await serveAgent({
  agentId: 'agent-notes',
  issuer: issuer.url,
  port: 0,
  router: agentRouter({ ping: scopedProcedure('notes:read').query(() => 'pong') }),
  authenticator: createIssuerAuthenticator({
    issuer: issuer.url,
    agentId: 'agent-notes',
    clientSecret: 'cs-agent-of-nobody',
  }),
  logger: createLogger({ name: 'agent-notes', level: 'silent' }),
})
const atStart = listPackages()
const status = await issuer.call(`${agent.url}/trpc/ping`)
const afterCall = listPackages()
const hasUndici = listHasUndici()
const ownFiles = countOwnFiles()

await fetch(`${agent.url}/trpc/ping`, { headers: { 'trpc-accept': 'application/jsonl' } })
const afterStream = listPackages()
const socket = new WebSocket(`${agent.url.replace('http', 'ws')}/trpc`)
await new Promise((resolve) => {
  socket.addEventListener('open', resolve)
  socket.addEventListener('error', resolve)
})
const afterSocket = listPackages()

process.stdout.write(
  JSON.stringify({ atStart, hasUndici, ownFiles, status, afterCall, afterStream, afterSocket }),
)
process.exit()
