// Finds the documents below a folder. In a node_modules it follows the layout of pnpm's
// store, where each package lies once, and names files from the package's name on.
import { accept, refuse, type Result } from '@deputy/auth/protocol'
import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, join, relative, sep } from 'node:path'
import type { DocumentFile } from './document.ts'
import { findMaxBytes, isDocumentName } from './document-kind.ts'

export type DocumentsRefusal = { readonly reason: 'documents_unavailable'; readonly detail: string }

export type FoundDocuments = {
  readonly files: readonly DocumentFile[]
  /** What was left out though it may hold documents, and why. */
  readonly skipped: readonly { readonly path: string; readonly why: string }[]
  /** Symbolic links to documents or folders, which are not followed: one may lead anywhere. */
  readonly links: readonly string[]
}

/** Most files that are taken, in order of their paths. */
const MAX_FILES = 20_000

const NOT_ABOUT_USE =
  /^(?:licen[cs]e|notice|copying|change-?log|history|authors|contributors|.*-license)\b/i

/** `zod@10` comes after `zod@9`. */
const byName = new Intl.Collator('en', { numeric: true })

/** A folder that is searched, and what names of its files begin with. */
export type DocumentFolder = { readonly path: string; readonly prefix: string }

type Walk = {
  readonly root: string
  readonly prefix: string
  readonly files: Map<string, DocumentFile>
  readonly skipped: FoundDocuments['skipped'][number][]
  readonly links: string[]
}

/** Lists the documents below folders. Refuses when one cannot be read or they hold none. */
export async function findDocuments(
  folders: readonly DocumentFolder[],
): Promise<Result<FoundDocuments, DocumentsRefusal>> {
  const found = { files: new Map<string, DocumentFile>(), skipped: [], links: [] }
  for (const { path, prefix } of folders) {
    try {
      await visit({ root: path, prefix, ...found }, path)
    } catch (error) {
      const detail = `${path} cannot be read (${toCode(error)})`
      return refuse({ reason: 'documents_unavailable', detail })
    }
  }
  const { files, links, skipped } = found
  if (files.size > 0) return accept({ files: [...files.values()], skipped, links })
  const detail = `${folders.map(({ path }) => path).join(', ')} holds no Markdown, text, HTML, PDF or JSON file that can be read${tellLinks(links)}`
  return refuse({ reason: 'documents_unavailable', detail })
}

function tellLinks([first, ...others]: readonly string[]): string {
  if (first === undefined) return ''
  const more = others.length === 0 ? '' : ` and ${String(others.length)} more`
  return ` (links are not followed: ${first}${more})`
}

async function visit(walk: Walk, folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true })
  for (const entry of entries.toSorted((a, b) => byName.compare(a.name, b.name))) {
    const path = join(folder, entry.name)
    // What may not be read takes nothing away from the rest.
    const skip = (error: unknown): void => void walk.skipped.push({ path, why: toCode(error) })
    if (isFolderToEnter(entry, walk.root)) await visit(walk, path).catch(skip)
    else if (isDocument(entry, walk.root)) await add(walk, path).catch(skip)
    else if (await isLeftOut(entry, { root: walk.root, path })) walk.links.push(path)
  }
}

async function add({ files, prefix, root, skipped }: Walk, path: string): Promise<void> {
  const file = prefix + toName(root, path)
  const other = files.get(file)
  // Of a package that is there in several versions the last one counts, and a nested one never.
  if (other !== undefined && toDepth(path) > toDepth(other.path)) return
  const { mtimeMs, size } = await stat(path)
  const maxBytes = findMaxBytes(path)
  if (size > maxBytes) {
    skipped.push({ path, why: `larger than ${String(maxBytes)} bytes` })
  } else if (other === undefined && files.size >= MAX_FILES) {
    skipped.push({ path, why: `there are ${String(MAX_FILES)} others` })
  } else {
    files.set(file, { file, path, sizeBytes: size, modifiedMs: Math.floor(mtimeMs) })
  }
}

function isDocument(entry: Dirent, root: string): boolean {
  const isInPackages = basename(root) === 'node_modules'
  return (
    entry.isFile() &&
    isDocumentName(entry.name, isInPackages) &&
    !(isInPackages && NOT_ABOUT_USE.test(entry.name))
  )
}

/** Links are not followed: one may lead out of the folder, or in circles. */
function isFolderToEnter(entry: Dirent, root: string): boolean {
  if (!entry.isDirectory()) return false
  const isInsideModules = basename(root) === 'node_modules'
  if (entry.name === '.pnpm') return isInsideModules
  if (entry.name === 'node_modules') return isInsideModules
  return !entry.name.startsWith('.')
}

/** Whether it is a link to what would be taken. Those of a `node_modules` lead to what is found anyway. */
async function isLeftOut(
  entry: Dirent,
  { path, root }: { readonly path: string; readonly root: string },
): Promise<boolean> {
  if (!entry.isSymbolicLink() || basename(root) === 'node_modules') return false
  if (entry.name.startsWith('.') || entry.name === 'node_modules') return false
  if (isDocumentName(entry.name, false)) return true
  return stat(path).then(
    (target) => target.isDirectory(),
    () => false,
  )
}

const MODULES = 'node_modules/'

function toName(root: string, path: string): string {
  const below = relative(root, path).split(sep).join('/')
  const at = below.lastIndexOf(MODULES)
  return at === -1 ? below : below.slice(at + MODULES.length)
}

/** In how many packages it is nested. */
function toDepth(path: string): number {
  return path.split(sep).join('/').split(MODULES).length
}

function toCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
}
