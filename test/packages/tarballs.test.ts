// What an `npm install` of the packages would bring, and that it works under plain Node: without the
// workspace, without its condition `@deputy/source`, without TypeScript.
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { execFile } from 'node:child_process'
import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { packPackages, PACKAGES, root, type PackedPackages } from '../support/packed-packages.ts'

const run = promisify(execFile)
const SourceMap = z.object({ sources: z.array(z.string()) })
/** Whose a source is that an installation brought. */
const INSTALLED = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//
let packed: PackedPackages

beforeAll(async () => {
  packed = await packPackages()
})
afterAll(async () => packed[Symbol.asyncDispose]())

describe.each(PACKAGES)('%s', (name) => {
  test('has nothing that publint would change', async () => {
    const tarball = await packed.readTarball(name)

    const { messages, pkg } = await publint({
      strict: true,
      pack: { tarball: Uint8Array.from(tarball).buffer },
    })

    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
  })

  test('has types that every resolution of ESM finds, and that say what the code is', async () => {
    const tarball = await packed.readTarball(name)

    const analysis = await checkPackage(createPackageFromTarballData(Uint8Array.from(tarball)))

    // ESM only, by `exports` only: older resolutions than these are not supported.
    const isSupported = (problem: object): boolean =>
      !(
        'resolutionKind' in problem &&
        ['node10', 'node16-cjs'].includes(String(problem.resolutionKind))
      )
    expect(analysis).toHaveProperty('problems')
    expect('problems' in analysis ? analysis.problems.filter(isSupported) : []).toEqual([])
  })

  test('brings every file that its exports name, and the sources that its maps name', async () => {
    const files = new Set(await packed.listFiles(name))
    const { exports } = await packed.readManifest(name)

    const named = Object.values(exports).flatMap((conditions) => Object.values(conditions))
    expect(named.filter((file) => !files.has(file.replace('./', '')))).toEqual([])
    expect(files).toContain('LICENSE')
    expect([...files].filter((file) => /\.test|tsbuildinfo|test-support|\.env/.test(file))).toEqual(
      [],
    )
  })

  test('says whose code it has taken in, and on which terms', async () => {
    const files = await packed.listFiles(name)
    const read = async (end: string): Promise<string[]> =>
      Promise.all(
        files.filter((file) => file.endsWith(end)).map(async (file) => packed.readFile(name, file)),
      )

    const sources = (await read('.js.map')).flatMap(
      (map) => SourceMap.parse(JSON.parse(map)).sources,
    )
    const owners = sources.flatMap((source) => INSTALLED.exec(source)?.[1] ?? [])
    const notices = (await read('THIRD-PARTY-NOTICES.txt')).flatMap((text) =>
      [...text.matchAll(/^(\S+) \d+\.\d+\.\d+ \(.+\)$/gm)].map(([, owner]) => owner),
    )
    expect(new Set(notices)).toEqual(new Set(owners))
  })

  test('asks for exact versions of what it needs, and for nothing of a workspace', async () => {
    const { dependencies } = await packed.readManifest(name)

    expect(
      Object.values(dependencies).filter((version) => !/^\d+\.\d+\.\d+/.test(version)),
    ).toEqual([])
  })
})

test('everything that is exported can be imported by plain Node', async () => {
  const specifiers: string[] = []
  for (const name of PACKAGES) {
    const { exports } = await packed.readManifest(name)
    // What the AI SDK is for is there where that is installed.
    const paths = Object.keys(exports).filter((path) => path !== './ai')
    specifiers.push(...paths.map((path) => name + path.slice(1)))
  }
  const program = `
    const found = {}
    for (const name of ${JSON.stringify(specifiers)}) found[name] = Object.keys(await import(name)).length
    console.log(JSON.stringify(found))`
  await writeFile(join(packed.folder, 'import-all.mjs'), program)

  const { stdout } = await run(process.execPath, ['import-all.mjs'], { cwd: packed.folder })

  const found = z.record(z.string(), z.number()).parse(JSON.parse(stdout))
  expect(Object.keys(found)).toEqual(specifiers)
  expect(found['@deputy/client']).toBeGreaterThan(10)
})

const CONSUMER = `
import { agentRouter, createAgentContract, scopedProcedure } from '@deputy/auth/trpc'
import { createAgentClient, isClientError } from '@deputy/client'
import { createTestWorld, refusal } from '@deputy/testing'
import * as z from 'zod'

const createGreeterRouter = () =>
  agentRouter({
    greet: scopedProcedure('greetings:read')
      .input(z.object({ name: z.string() }))
      .query(({ ctx, input }) => 'Hello ' + input.name + ', says ' + ctx.principal.agentId),
    forget: scopedProcedure('greetings:write').mutation(() => 'forgotten'),
  })
const greeter = createAgentContract('agent-greeter-v1', createGreeterRouter)
const world = await createTestWorld()
const agent = await world.agent(greeter.agentId, { router: createGreeterRouter() })
const alice = await world.caller('agent-alice-v1', { scopes: ['greetings:read'], audiences: [agent.id] })
const client = createAgentClient(greeter, {
  url: agent.url,
  credentials: alice.credentials(),
  fetch: alice.fetch,
  clock: alice.clock,
})
const answer: string = await client.greet.query({ name: 'Bob' })
const error = await refusal(client.forget.mutate())
if (!isClientError(error)) throw error
console.log(JSON.stringify([answer, error.code]))
await world[Symbol.asyncDispose]()
`

test('a program compiles against what was packed, and runs: an agent, a call, a refusal', async () => {
  await writeFile(join(packed.folder, 'package.json'), '{ "type": "module" }')
  await writeFile(join(packed.folder, 'consumer.ts'), CONSUMER)
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2024',
    lib: ['es2024', 'esnext.disposable', 'dom'],
    strict: true,
    exactOptionalPropertyTypes: true,
    types: ['node'],
    skipLibCheck: true,
  }
  await writeFile(
    join(packed.folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['consumer.ts'] }),
  )
  await symlink(join(root, 'node_modules/@types'), join(packed.folder, 'node_modules/@types'))

  const compiled = await run(join(root, 'node_modules/.bin/tsc'), ['-p', '.'], {
    cwd: packed.folder,
  })
    .then(() => '')
    .catch((error: { stdout?: string }) => error.stdout ?? 'tsc could not be run')
  expect(compiled).toBe('')
  const { stdout } = await run(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', 'consumer.js'],
    { cwd: packed.folder },
  )

  expect(JSON.parse(stdout)).toEqual(['Hello Bob, says agent-alice-v1', 'token_refused'])
})
