import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder for the files of one run, which goes with it. */
export type RunFolder = AsyncDisposable & { file(name: string): string }

/** Makes the folder, readable by its owner only. */
export async function createRunFolder(): Promise<RunFolder> {
  const path = await mkdtemp(join(tmpdir(), 'deputy-bench-run-'))
  return {
    file: (name) => join(path, name),
    [Symbol.asyncDispose]: async () => rm(path, { recursive: true, force: true }),
  }
}
