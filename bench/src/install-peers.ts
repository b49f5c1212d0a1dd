// The peers are installed at the first use, from the lockfile of this package: who only builds and tests
// Deputy never downloads them.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('..', import.meta.url))
const stampFile = `${folder}/node_modules/.deputy-install`

/** Installs what the lockfile names, unless that was done. Needs pnpm on PATH, as the launcher puts it. */
export async function installPeers(log: (line: string) => void): Promise<void> {
  const lockfile = await readFile(`${folder}/pnpm-lock.yaml`)
  const wanted = createHash('sha256').update(lockfile).digest('hex')
  const found = await readFile(stampFile, 'utf8').catch(() => undefined)
  if (found === wanted) return
  log('installing the peers (once; later runs skip this)')
  const words = ['install', '--frozen-lockfile', '--reporter=append-only']
  // What pnpm says goes to standard error: standard output is for the results.
  const pnpm = spawn('pnpm', words, {
    cwd: folder,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  const [code] = await once(pnpm, 'exit')
  if (code !== 0) throw new Error('the peers could not be installed, see the lines above')
  await writeFile(stampFile, wanted)
}
