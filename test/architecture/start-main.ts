// An agent that says which packages it has loaded: when it can be called, and when it was called in ways that are rare.
import { registerHooks } from 'node:module'

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

const agent = await serveAgent({
  agentId: 'agent-notes',
  issuer: 'http://127.0.0.1:9',
  port: 0,
  router: agentRouter({ ping: scopedProcedure('notes:read').query(() => 'pong') }),
  authenticator: createIssuerAuthenticator({
    issuer: 'http://127.0.0.1:9',
    agentId: 'agent-notes',
    fetch: async () => new Promise<never>(() => undefined),
  }),
  logger: createLogger({ name: 'agent-notes', level: 'silent' }),
})
const atStart = listPackages()
const builtIn: unknown = Reflect.get(process, 'moduleLoadList')
const hasUndici =
  Array.isArray(builtIn) && builtIn.includes('NativeModule internal/deps/undici/undici')

const { status } = await fetch(`${agent.url}/trpc/ping`)
const afterCall = listPackages()
await fetch(`${agent.url}/trpc/ping`, { headers: { 'trpc-accept': 'application/jsonl' } })
const afterStream = listPackages()
const socket = new WebSocket(`${agent.url.replace('http', 'ws')}/trpc`)
await new Promise((resolve) => {
  socket.addEventListener('open', resolve)
  socket.addEventListener('error', resolve)
})
const afterSocket = listPackages()

process.stdout.write(
  JSON.stringify({ atStart, hasUndici, status, afterCall, afterStream, afterSocket }),
)
process.exit()
