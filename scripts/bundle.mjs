// Makes the JavaScript of the packages that agents load, where it can one file for each export.
// A process resolves and reads every file by itself, so an agent of some hundred small files starts a quarter later
// (docs/adr/0045). The types are `tsc -b`'s, which writes no JavaScript for these packages.
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { dirname, isAbsolute, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('..', import.meta.url))
const FOLDERS = ['packages/auth', 'packages/client', 'packages/serve']

/**
 * What is bundled again for browsers and Workers keeps a file for each module: one that is not used is left out as a
 * whole, where in a larger file its schemas, which are made when it is loaded, would have to stay.
 */
const KEPT_APART = new Set(['packages/auth', 'packages/client'])

/** What a thread runs is a file of its own, which is found beside the one that starts it. */
const THREAD_MAINS = 'src/**/*-thread-main.ts'
const JAVASCRIPT = '**/*.{js,js.map}'
const FILE_BESIDE = /new URL\(\s*['"]([^'"]+\.js)['"],\s*import\.meta\.url/g

for (const folder of FOLDERS) await bundle(join(root, folder), KEPT_APART.has(folder))

/**
 * @param {string} cwd the folder of a package
 * @param {boolean} isKeptApart
 */
async function bundle(cwd, isKeptApart) {
  const output = join(cwd, 'dist')
  const made = mkdtempSync(join(cwd, 'node_modules/.bundle-'))
  const build = await rolldown({
    cwd,
    input: readEntries(cwd),
    platform: 'node',
    // Packages stay packages: each is loaded once, however many of ours use it.
    external: (id) => !id.startsWith('.') && !isAbsolute(id),
    onLog(level, log) {
      if (level === 'warn') throw new Error(`${cwd}: ${log.message}`)
    },
  })
  const { output: written } = await build.write({
    dir: made,
    format: 'esm',
    sourcemap: true,
    chunkFileNames: '[name]-[hash].js',
    ...(isKeptApart ? { preserveModules: true, preserveModulesRoot: join(cwd, 'src') } : {}),
  })
  for (const one of written) if (one.type === 'chunk') checkFilesBeside(made, one)
  replaceFiles(made, output)
  rmSync(made, { recursive: true })
}

/**
 * Each file is there at any moment, old or new: several test files build at once, and read what another one builds.
 * @param {string} from a folder on the same disk
 * @param {string} to
 */
function replaceFiles(from, to) {
  const files = new Set(globSync(JAVASCRIPT, { cwd: from }))
  for (const file of files) {
    mkdirSync(dirname(join(to, file)), { recursive: true })
    renameSync(join(from, file), join(to, file))
  }
  // Nothing of an earlier build is left to be packed.
  const old = globSync(JAVASCRIPT, { cwd: to }).filter((file) => !files.has(file))
  for (const file of old) rmSync(join(to, file), { force: true })
}

/** @param {string} cwd */
function readEntries(cwd) {
  /** @type {{ exports: Record<string, { '@deputy/source': string, default: string }> }} */
  const { exports } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8'))
  const named = Object.values(exports).map((conditions) => [
    relative('dist', conditions.default).replace(/\.js$/, ''),
    conditions['@deputy/source'],
  ])
  const mains = globSync(THREAD_MAINS, { cwd }).map((file) => [
    file.replace(/^.*[/\\]|\.ts$/g, ''),
    `./${file}`,
  ])
  return Object.fromEntries([...named, ...mains])
}

/**
 * A file that is named relative to the module is not seen by the bundler: it has to be there.
 * @param {string} output
 * @param {{ fileName: string, code: string }} chunk
 */
function checkFilesBeside(output, { code, fileName }) {
  for (const [, name = ''] of code.matchAll(FILE_BESIDE)) {
    if (existsSync(join(output, dirname(fileName), name))) continue
    throw new Error(`${fileName} names ${name}, which is not beside it`)
  }
}
