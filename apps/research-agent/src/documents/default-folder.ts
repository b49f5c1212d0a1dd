import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The folder that is searched when none is given: the packages installed for this workspace, whose
 * documentation everybody who runs the agent has. That is the outermost `node_modules` above this file.
 */
export function findDefaultFolder(from: string = fileURLToPath(import.meta.url)): string {
  let found = join(dirname(from), 'node_modules')
  for (let folder = dirname(from); folder !== dirname(folder); folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules')
    if (existsSync(candidate)) found = candidate
    // The workspace's own root: what lies above belongs to somebody else.
    if (existsSync(join(folder, 'pnpm-workspace.yaml'))) break
  }
  return found
}
