// Finds the Markdown and text files below a folder. In a node_modules it follows the layout of pnpm's
// store, where each package lies once, and names files from the package's name on.
import { accept, refuse, type Result } from '@deputy/auth/protocol'
import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, join, relative, sep } from 'node:path'
import type { DocumentFile } from './document.ts'

export type DocumentsRefusal = { readonly reason: 'documents_unavailable'; readonly detail: string }

/** Larger files are left out: they are data or logs more often than documentation. */
const MAX_FILE_BYTES = 1024 * 1024

/** Most files that are taken, in order of their paths. */
const MAX_FILES = 20_000

const DOCUMENT = /\.(?:md|markdown|txt)$/i
const NOT_ABOUT_USE =
  /^(?:licen[cs]e|notice|copying|change-?log|history|authors|contributors|.*-license)\b/i

/** Lists the documents below a folder. Refuses when it cannot be read or holds none. */
export async function findDocuments(
  folder: string,
): Promise<Result<readonly DocumentFile[], DocumentsRefusal>> {
  const found = new Map<string, DocumentFile>()
  try {
    await walk(folder, folder, found)
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    return refuse({ reason: 'documents_unavailable', detail: `${folder} cannot be read (${why})` })
  }
  if (found.size > 0) return accept([...found.values()])
  const detail = `${folder} holds no .md or .txt file`
  return refuse({ reason: 'documents_unavailable', detail })
}

async function walk(root: string, folder: string, found: Map<string, DocumentFile>): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true })
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (found.size >= MAX_FILES) return
    const path = join(folder, entry.name)
    if (isFolderToEnter(entry, root)) {
      // A folder inside that may not be read takes nothing away from the others.
      await walk(root, path, found).catch(() => undefined)
    } else if (entry.isFile() && DOCUMENT.test(entry.name) && !NOT_ABOUT_USE.test(entry.name)) {
      const { mtimeMs, size } = await stat(path)
      const file = toName(root, path)
      if (size <= MAX_FILE_BYTES && !found.has(file)) {
        found.set(file, { file, path, sizeBytes: size, modifiedMs: Math.floor(mtimeMs) })
      }
    }
  }
}

/** Links are not followed: in pnpm's layout they only lead to what is found anyway, or in circles. */
function isFolderToEnter(entry: Dirent, root: string): boolean {
  if (!entry.isDirectory()) return false
  const isInsideModules = basename(root) === 'node_modules'
  if (entry.name === '.pnpm') return isInsideModules
  if (entry.name === 'node_modules') return isInsideModules
  return !entry.name.startsWith('.')
}

function toName(root: string, path: string): string {
  const below = relative(root, path).split(sep).join('/')
  const marker = 'node_modules/'
  const at = below.lastIndexOf(marker)
  return at === -1 ? below : below.slice(at + marker.length)
}
