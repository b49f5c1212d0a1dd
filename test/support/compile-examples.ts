// Compiles the examples of a page, as a reader would compile them.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))

export type Example = { readonly name: string; readonly code: string }

/** Reads the examples of a page that name a file. */
export async function readExamples(page: string): Promise<Example[]> {
  const text = await readFile(join(root, page), 'utf8')
  return [...text.matchAll(/^```ts\n\/\/ file: (\S+)\n(.*?)^```$/gms)].map((match) => ({
    name: match[1] ?? '',
    code: match[2] ?? '',
  }))
}

/** Answers with what the compiler complains of. Compiles files inside the test package, whose dependencies are the workspace's packages. */
export async function compile(files: readonly Example[]): Promise<string> {
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
