// The embedded default: the key that seals signing keys lies in a file beside the database, which only
// its owner can read. It keeps a copy of the database alone from being worth anything.
import { randomBytes, randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { link, mkdir, open, rm } from 'node:fs/promises'
import { platform } from 'node:os'
import { dirname } from 'node:path'
import { parseEncryptionKey } from './encryption-key.ts'
import { KeySealError } from './key-sealer.ts'

/** More than a key needs: what is longer holds something else. */
const MAX_FILE_BYTES = 1024

/** Reads the key. Answers `undefined` when there is no file; rejects with `KeySealError` otherwise. */
export async function readKeyFile(file: string): Promise<Uint8Array | undefined> {
  const text = await readPrivateFile(file)
  if (text === undefined) return undefined
  const key = parseEncryptionKey(text.trim())
  if (key === undefined) {
    throw new KeySealError(`${file} does not hold a key: restore it from where you keep a copy`)
  }
  return key
}

/** Makes the file with a new key; one that is there already, made by another server, stays. */
export async function createKeyFile(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  // Whole under another name first, then linked: no other server can read half a key, and `link`,
  // unlike `rename`, does not replace the key of one that was faster.
  const draft = `${file}.${randomUUID()}`
  try {
    await writePrivateFile(draft, `${randomBytes(32).toString('base64url')}\n`)
    await link(draft, file)
    await syncFolder(dirname(file))
  } catch (error) {
    if (toCode(error) !== 'EEXIST') {
      throw new KeySealError(`cannot make ${file}: ${toCode(error)}`, { cause: error })
    }
  } finally {
    await rm(draft, { force: true })
  }
}

async function writePrivateFile(file: string, text: string): Promise<void> {
  await using handle = await open(file, 'wx', 0o600)
  await handle.writeFile(text)
  await handle.sync()
}

/** A power cut must not keep the sealed keys and lose the name of the file that opens them. */
async function syncFolder(folder: string): Promise<void> {
  // Windows opens no folders.
  if (platform() === 'win32') return
  await using handle = await open(folder)
  await handle.sync()
}

async function readPrivateFile(file: string): Promise<string | undefined> {
  try {
    // Attack prevented: a link that leads to a file which somebody else knows.
    await using handle = await open(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
    const stats = await handle.stat()
    if (!stats.isFile() || stats.size > MAX_FILE_BYTES) {
      throw new KeySealError(`${file} does not hold a key`)
    }
    // Windows has no such bits.
    if ((stats.mode & 0o077) !== 0 && platform() !== 'win32') {
      throw new KeySealError(`${file} can be read by others than its owner: chmod 600 it`)
    }
    return await handle.readFile('utf8')
  } catch (error) {
    if (error instanceof KeySealError) throw error
    if (toCode(error) === 'ENOENT') return undefined
    throw new KeySealError(`cannot read ${file}: ${toCode(error)}`, { cause: error })
  }
}

function toCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}
