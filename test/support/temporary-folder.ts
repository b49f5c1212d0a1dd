import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder that is gone when the test is over. */
export async function createTemporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'deputy-test-'))
  return {
    path,
    file: (...names: string[]): string => join(path, ...names),
    [Symbol.asyncDispose]: async () => rm(path, { recursive: true, force: true }),
  }
}
