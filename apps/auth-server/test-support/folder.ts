import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type Folder = AsyncDisposable & { readonly path: string }

/** Makes a folder that is gone when the test ends. */
export async function createFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'deputy-auth-server-'))
  return { path, [Symbol.asyncDispose]: async () => rm(path, { recursive: true }) }
}
