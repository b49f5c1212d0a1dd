// The code that the README shows, compiled as a reader would compile it.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

async function readExamples(): Promise<{ name: string; code: string }[]> {
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  return [...readme.matchAll(/^```ts\n\/\/ file: (\S+)\n(.*?)^```$/gms)].map((match) => ({
    name: match[1] ?? '',
    code: match[2] ?? '',
  }))
}

/** Compiles files inside the test package, whose dependencies are the workspace's packages. */
async function compile(files: readonly { name: string; code: string }[]): Promise<string> {
  await mkdir(join(root, 'test/node_modules'), { recursive: true })
  const folder = await mkdtemp(join(root, 'test/node_modules/.readme-'))
  try {
    for (const { code, name } of files) await writeFile(join(folder, name), code)
    const compilerOptions = { noEmit: true, composite: false, allowImportingTsExtensions: true }
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: join(root, 'tsconfig.base.json'), compilerOptions }),
    )
    const tsc = join(root, 'node_modules/.bin/tsc')
    const run = promisify(execFile)(tsc, ['-p', folder], { cwd: root })
    return await run.then(
      () => '',
      (error: { stdout?: string }) => error.stdout ?? 'tsc could not be run',
    )
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('the examples of the README compile', { timeout: 60_000 }, async () => {
  const examples = await readExamples()

  const complaints = await compile(examples)

  expect(examples.map(({ name }) => name)).toEqual(['greeter.ts', 'caller.ts'])
  expect(complaints).toBe('')
})

test(
  'an example that called what is not there would not compile',
  { timeout: 60_000 },
  async () => {
    const examples = (await readExamples()).map(({ code, name }) => ({
      name,
      code: code.replace('client.greet.query', 'client.wave.query'),
    }))

    const complaints = await compile(examples)

    expect(complaints).toContain("Property 'wave' does not exist")
  },
)
