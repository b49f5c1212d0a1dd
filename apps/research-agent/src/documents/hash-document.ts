import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'

/** The SHA-256 of a file as it is now. Rejects when it cannot be read. */
export async function hashDocument(path: string): Promise<string> {
  return toSha256(await readFile(path))
}

export function toSha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
