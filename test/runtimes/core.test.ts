// The core of the client, `@deputy/client`, as it is bundled: for anything that has the web's APIs.
import { createTestWorld } from '@deputy/testing'
import { readFile } from 'node:fs/promises'
import { createContext, runInContext } from 'node:vm'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { buildPackages, root } from '../support/packed-packages.ts'
import { bundle } from './bundle-core.ts'
import { EXPECTED } from './core-program.ts'
import { GREETER, greeterRouter } from './greeter-router.ts'

beforeAll(async () => buildPackages())

const EVERYTHING = "export * from '@deputy/client'"
const A_CLIENT = "export { clientSecret, createAgentClient } from '@deputy/client'"

/** What the page says, in kB of 1,000 bytes, minified and gzipped. A change that needs more says so there. */
const LIMITS_KB = { everything: 44, aClient: 40, ownCode: 22 }

describe('the core', () => {
  test('needs nothing of Node, and no package but those that it is made of', async () => {
    const { packages } = await bundle({ code: EVERYTHING })

    expect(packages).toEqual([
      '@deputy/auth',
      '@deputy/client',
      '@trpc/client',
      '@trpc/server',
      'eventsource-parser',
      'jose',
      'oauth4webapi',
    ])
  })

  test('would not be bundled if anything of it needed Node', async () => {
    await expect(bundle({ code: "export * from '@deputy/client/node'" })).rejects.toThrow(
      /Could not resolve "node:/,
    )
  })

  test('is as small as the page says', async () => {
    const page = await readFile(join(root, 'docs/client.md'), 'utf8')
    const foreign = ['@trpc/*', 'eventsource-parser', 'jose', 'oauth4webapi']

    const sizes = {
      everything: (await bundle({ code: EVERYTHING })).gzipBytes,
      aClient: (await bundle({ code: A_CLIENT })).gzipBytes,
      ownCode: (await bundle({ code: EVERYTHING, external: foreign })).gzipBytes,
    }

    for (const [name, kilobytes] of Object.entries(LIMITS_KB)) {
      const bytes = sizes[name as keyof typeof sizes]
      expect.soft(bytes, name).toBeLessThanOrEqual(kilobytes * 1000)
      // A limit that nobody comes near holds nothing.
      expect.soft(bytes, name).toBeGreaterThan(kilobytes * 1000 * 0.9)
      expect.soft(page, name).toContain(`${String(kilobytes)} kB`)
    }
  })

  test('leaves out of a bundle what is not used', async () => {
    const { gzipBytes, packages } = await bundle({
      code: "export { isClientError } from '@deputy/client'",
    })

    expect(packages).not.toContain('oauth4webapi')
    expect(packages).not.toContain('jose')
    expect(gzipBytes).toBeLessThan(5000)
  })
})

/** What every browser, Worker and server has: the minimum common web API, and WebSocket. */
const WEB = `
  AbortController AbortSignal Blob DOMException Event EventTarget FormData
  Headers MessageEvent ReadableStream Request Response
  TextDecoder TextDecoderStream TextEncoder TransformStream URL URLSearchParams
  WritableStream atob btoa clearInterval clearTimeout console
  crypto performance queueMicrotask setInterval setTimeout structuredClone
`

test('a program runs where there is nothing but the web’s APIs', async () => {
  await using world = await createTestWorld()
  const greeter = await world.agent(GREETER, { router: greeterRouter })
  const settings = { scopes: ['greetings:read'], audiences: [greeter.id] }
  const alice = await world.caller('agent-alice-v1', settings)
  const { apiKey } = await world.admin.apiKeys.create.mutate({
    agentId: alice.id,
    scopes: settings.scopes,
  })
  const { text } = await bundle({
    code: "export { runProgram } from './core-program.ts'",
    format: 'iife',
  })
  const place = {
    issuer: world.issuer,
    url: greeter.url,
    clientId: alice.id,
    clientSecret: alice.secret.reveal(),
    apiKey,
    clock: alice.clock,
  }
  const globals = Object.fromEntries(
    WEB.trim()
      .split(/\s+/)
      .map((name) => [name, Reflect.get(globalThis, name)]),
  )
  const context = createContext({
    ...globals,
    fetch: alice.fetch,
    WebSocket: alice.WebSocket,
    place,
  })

  const result: unknown = await runInContext(
    `${text}; program.runProgram(place).then(JSON.stringify)`,
    context,
  )

  expect(JSON.parse(String(result))).toEqual(EXPECTED)
})
