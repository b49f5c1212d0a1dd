// The code that docs/testing.md shows: it compiles, and its tests pass.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { compile, readExamples } from '../support/compile-examples.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

test('the examples compile', { timeout: 60_000 }, async () => {
  const examples = await readExamples('docs/testing.md')

  expect(examples.map(({ name }) => name)).toEqual([
    'greeter.test.ts',
    'ending.test.ts',
    'acting.test.ts',
    'whole-agent.test.ts',
    'outage.test.ts',
    'waiting.test.ts',
  ])
  expect(await compile(examples)).toBe('')
})

test('the tests of the examples pass', { timeout: 60_000 }, async () => {
  const cache = join(root, 'test/node_modules')
  await mkdir(cache, { recursive: true })
  const folder = await mkdtemp(join(cache, '.testing-'))
  try {
    for (const { code, name } of await readExamples('docs/testing.md')) {
      await writeFile(join(folder, name), code)
    }
    const report = join(folder, 'report.json')
    const config = `export default {
      ssr: { resolve: { conditions: ['@deputy/source', 'node', 'module', 'default'] } },
      test: { root: ${JSON.stringify(folder)}, include: ['*.test.ts'], exclude: [], reporters: ['json'], outputFile: ${JSON.stringify(report)} },
    }`
    await writeFile(join(folder, 'vitest.config.mjs'), config)
    const vitest = join(root, 'node_modules/.bin/vitest')
    // What failed is in the report.
    await promisify(execFile)(vitest, ['run', '--config', 'vitest.config.mjs'], {
      cwd: folder,
    }).catch(() => undefined)

    expect(JSON.parse(await readFile(report, 'utf8'))).toMatchObject({
      numPassedTests: 7,
      numFailedTests: 0,
    })
  } finally {
    await rm(folder, { recursive: true })
  }
})
