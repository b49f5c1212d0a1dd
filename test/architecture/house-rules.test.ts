// Rules of the house that no linter knows.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'

const root = fileURLToPath(new URL('../..', import.meta.url))
const sources = globSync('{packages,apps}/*/src/**/*.ts', { cwd: root })
  .filter((file) => !/\.test(-d)?\.ts$/.test(file))
  .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }))

/** Source without comments, so that prose may name what code may not use. */
const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
const filesWith = (pattern: RegExp): string[] =>
  sources.filter(({ text }) => pattern.test(withoutComments(text))).map(({ file }) => file)

test('there are sources to look at', () => {
  expect(sources.length).toBeGreaterThan(80)
})

test('only clock.ts reads the date', () => {
  expect(filesWith(/\bDate\.now\(|new Date\(\)/)).toEqual(['packages/auth/src/protocol/clock.ts'])
})

test('only main.ts, what ends processes or hears of their end, what gets node:http, and the demo touch process', () => {
  const allowed = /\/main\.ts$|close-on-signal\.ts$|log-lines\.ts$|\/node-http\.ts$|^apps\/demo\//

  expect(filesWith(/\bprocess\./).filter((file) => !allowed.test(file))).toEqual([])
})

test('only storage folders and packages/storage touch Kysely', () => {
  const allowed = /^packages\/storage\/|\/src\/storage\//

  expect(filesWith(/from 'kysely/).filter((file) => !allowed.test(file))).toEqual([])
})

const Manifest = z.object({
  name: z.string(),
  exports: z.record(z.string(), z.unknown()).optional(),
  dependencies: z.record(z.string(), z.string()).optional(),
  devDependencies: z.record(z.string(), z.string()).optional(),
})
const manifests = globSync('{packages,apps}/*/package.json', { cwd: root }).map((file) => ({
  folder: dirname(file),
  manifest: Manifest.parse(JSON.parse(readFileSync(join(root, file), 'utf8'))),
}))

/** What each package may depend on, of ours. */
const FLOORS: Record<string, string[]> = {
  '@deputy/auth': [],
  '@deputy/storage': [],
  '@deputy/client': ['@deputy/auth'],
  '@deputy/serve': ['@deputy/auth'],
  '@deputy/contracts': ['@deputy/auth'],
  '@deputy/testing': ['@deputy/auth', '@deputy/auth-server', '@deputy/client', '@deputy/serve'],
  '@deputy/auth-server': ['@deputy/auth', '@deputy/serve', '@deputy/storage'],
  '@deputy/billing-agent': [
    '@deputy/auth',
    '@deputy/client',
    '@deputy/contracts',
    '@deputy/serve',
    '@deputy/storage',
  ],
  '@deputy/research-agent': [
    '@deputy/auth',
    '@deputy/client',
    '@deputy/contracts',
    '@deputy/serve',
    '@deputy/storage',
  ],
  '@deputy/demo': ['@deputy/auth', '@deputy/auth-server', '@deputy/client', '@deputy/contracts'],
}

describe.each(manifests)('$folder', ({ folder, manifest }) => {
  const dependencies = { ...manifest.dependencies, ...manifest.devDependencies }

  test('depends on lower floors only', () => {
    const isOurs = (name: string): boolean => name.startsWith('@deputy/')
    // Tests of an agent may use what every agent's author has for them; what is shipped may not.
    const forTests = Object.keys(manifest.devDependencies ?? {}).filter(
      (name) => name !== '@deputy/testing' || !manifest.name.endsWith('-agent'),
    )
    const ours = [...Object.keys(manifest.dependencies ?? {}), ...forTests].filter(isOurs)

    expect(FLOORS[manifest.name]).toEqual(expect.arrayContaining(ours))
  })

  test('pins every version exactly', () => {
    const loose = Object.entries(dependencies).filter(
      ([, version]) => version !== 'workspace:*' && !/^\d+\.\d+\.\d+$/.test(version),
    )

    expect(loose).toEqual([])
  })

  test('uses every dependency that it names', () => {
    const text = globSync(`${folder}/src/**/*.ts`, { cwd: root })
      .map((file) => readFileSync(join(root, file), 'utf8'))
      .join('\n')
    // The types of routers that a package exports name tRPC, whether its source does or not.
    const isForTypes = (name: string): boolean =>
      name.startsWith('@types/') || (name === '@trpc/server' && manifest.exports !== undefined)
    const unused = Object.keys(dependencies).filter(
      (name) => !isForTypes(name) && !new RegExp(`['"]${name}['"/]`).test(text),
    )

    expect(unused).toEqual([])
  })
})
