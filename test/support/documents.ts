import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** A small library for research to answer from. */
export const DOCUMENTS = {
  'keys.md': [
    '# Keys',
    '',
    'A remote key set is fetched once and kept. Unknown key ids cause another fetch.',
    '',
    '## Rotation',
    '',
    'Rotating the signing keys loses no call, because old keys stay published for a while.',
  ].join('\n'),
  'notes/tokens.txt':
    'Access tokens expire after fifteen minutes.\nA token manager renews each token a minute before.\n',
}

/** Writes files into a folder, with the folders that they need. */
export async function writeFiles(
  folder: string,
  files: Record<string, string | Uint8Array>,
): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  }
}
