// Bundles as a browser's or a Worker's application would be: from what is published (`dist`), for a platform
// that has nothing of Node.
import { build, type Metafile } from 'esbuild'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { root } from '../support/packed-packages.ts'

export type Bundle = {
  readonly text: string
  readonly gzipBytes: number
  /** Whose code is in it. */
  readonly packages: readonly string[]
}

export type BundleOptions = {
  /** A module's code; it imports as a file of `test/runtimes` would. */
  readonly code: string
  readonly format?: 'esm' | 'iife' | undefined
  /** Packages that are left out. */
  readonly external?: string[] | undefined
}

/** Rejects with what cannot be resolved without Node, like any `node:` import. */
export async function bundle({
  code,
  external = [],
  format = 'esm',
}: BundleOptions): Promise<Bundle> {
  const result = await build({
    stdin: { contents: code, loader: 'ts', resolveDir: join(root, 'test/runtimes') },
    bundle: true,
    minify: true,
    format,
    ...(format === 'iife' ? { globalName: 'program' } : {}),
    platform: 'browser',
    target: 'es2023',
    external,
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  const [file] = result.outputFiles
  if (file === undefined) throw new TypeError('esbuild wrote nothing')
  return {
    text: file.text,
    gzipBytes: gzipSync(file.contents, { level: 9 }).length,
    packages: listPackages(result.metafile),
  }
}

function listPackages({ outputs }: Metafile): string[] {
  const used = Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0),
  )
  return [...new Set(used.map(([path]) => toPackage(path)))].toSorted()
}

function toPackage(path: string): string {
  const [, own] = /(?:^|\/)packages\/(\w+)\/dist\//.exec(path) ?? []
  if (own !== undefined) return `@deputy/${own}`
  const [, foreign] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path) ?? []
  return foreign ?? path
}
