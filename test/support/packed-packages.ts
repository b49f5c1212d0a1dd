// The packages as they would be published: built, packed by pnpm, and laid out as an installation of the
// tarballs would be, with the dependencies that they name and no others.
import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, realpath, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as z from 'zod'
import { createTemporaryFolder } from './temporary-folder.ts'

const run = promisify(execFile)
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Every package that others install, by its folder. */
const FOLDERS = {
  '@deputy/auth': 'packages/auth',
  '@deputy/auth-server': 'apps/auth-server',
  '@deputy/client': 'packages/client',
  '@deputy/contracts': 'packages/contracts',
  '@deputy/serve': 'packages/serve',
  '@deputy/storage': 'packages/storage',
  '@deputy/testing': 'packages/testing',
} as const

export type PackageName = keyof typeof FOLDERS
export const PACKAGES = Object.keys(FOLDERS) as PackageName[]

const Manifest = z.object({
  exports: z.record(z.string(), z.record(z.string(), z.string())),
  dependencies: z.record(z.string(), z.string()),
})
export type Manifest = z.infer<typeof Manifest>

export type PackedPackages = AsyncDisposable & {
  /** Where they are installed: programs in this folder find them. */
  readonly folder: string
  readTarball(name: PackageName): Promise<Buffer>
  readManifest(name: PackageName): Promise<Manifest>
  /** The files of a package, by their paths in it. */
  listFiles(name: PackageName): Promise<string[]>
  readFile(name: PackageName, path: string): Promise<string>
}

/** Builds what is not built, so that what is tested is what is there. */
export async function buildPackages(): Promise<void> {
  await run(join(root, 'node_modules/.bin/tsc'), ['-b', ...Object.values(FOLDERS)], { cwd: root })
  await run(process.execPath, [join(root, 'scripts/bundle.mjs')], { cwd: root })
}

/** Builds, packs, and lays out. */
export async function packPackages(): Promise<PackedPackages> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTemporaryFolder())
  const tarballs = folder.file('tarballs')
  const filters = PACKAGES.flatMap((name) => ['--filter', name])
  await buildPackages()
  const launcher = join(root, 'scripts/run.mjs')
  const pack = ['pnpm', ...filters, '-r', 'pack', '--pack-destination', tarballs]
  await run(process.execPath, [launcher, ...pack], { cwd: root, maxBuffer: 32 * 1024 * 1024 })

  const modules = folder.file('node_modules')
  const toTarball = (name: PackageName): string =>
    join(tarballs, `${name.replace('@', '').replace('/', '-')}-0.0.0.tgz`)
  const readManifest = async (name: PackageName): Promise<Manifest> =>
    Manifest.parse(JSON.parse(await readFile(join(modules, name, 'package.json'), 'utf8')))

  for (const name of PACKAGES) {
    await mkdir(join(modules, name), { recursive: true })
    await run('tar', ['-xzf', toTarball(name), '-C', join(modules, name), '--strip-components=1'])
  }
  for (const name of PACKAGES) {
    for (const dependency of Object.keys((await readManifest(name)).dependencies)) {
      if (dependency in FOLDERS) continue
      const installed = await realpath(join(root, FOLDERS[name], 'node_modules', dependency))
      const link = join(modules, dependency)
      await mkdir(dirname(link), { recursive: true })
      // All packages name the same version of what several of them name.
      await symlink(installed, link).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST' || (await realpath(link)) !== installed) throw error
      })
    }
  }

  const resources = stack.move()
  return {
    folder: folder.path,
    readTarball: async (name) => readFile(toTarball(name)),
    readManifest,
    listFiles: async (name) => {
      const entries = await readdir(join(modules, name), { recursive: true, withFileTypes: true })
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(join(modules, name).length + 1))
    },
    readFile: async (name, path) => readFile(join(modules, name, path), 'utf8'),
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}
