import type { DocumentFolder } from './find-documents.ts'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The folders that are searched when none is given: this project's own documentation, and that of the packages
 * installed for it, the outermost `node_modules` above this file.
 */
export function findDefaultFolders(
  from: string = fileURLToPath(import.meta.url),
): readonly DocumentFolder[] {
  let modules = join(dirname(from), 'node_modules')
  let docs: DocumentFolder[] = []
  for (let folder = dirname(from); folder !== dirname(folder); folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules')
    if (existsSync(candidate)) modules = candidate
    // The workspace's own root: what lies above belongs to somebody else.
    if (existsSync(join(folder, 'pnpm-workspace.yaml'))) {
      const own = join(folder, 'docs')
      if (existsSync(own)) docs = [{ path: own, prefix: 'docs/' }]
      break
    }
  }
  return [...docs, { path: modules, prefix: '' }]
}
