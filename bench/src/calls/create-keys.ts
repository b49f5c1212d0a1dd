import { createAgentSecret } from '../../../packages/auth/src/protocol/index.ts'
import { writeFile } from 'node:fs/promises'

/** Makes as many API keys, into a file of equal lines. */
export async function createKeys(count: number, file: string): Promise<void> {
  const keys = Array.from({ length: count }, () => createAgentSecret('apiKey'))
  await writeFile(file, `${keys.join('\n')}\n`, { mode: 0o600 })
}
