// Makes the JavaScript of the packages that agents load.
//
// A process resolves and reads every file by itself, and an agent of some hundred small files takes half as long again to
// start. So Node gets one file for each export, with the small packages that it needs in it (docs/adr/0051). What
// is bundled again for browsers and Workers has a file for each module as well: one that is not used is left out as a
// whole, where in a larger file its schemas, which are made when it is loaded, would have to stay.
//
// The types are `tsc -b`'s, which writes no JavaScript for these packages.
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

/** @typedef {{ '@deputy/source': string, node?: string, default: string }} Conditions */
/** @typedef {{ name: string, version: string, license: string, exports: Record<string, Conditions> }} Manifest */

const root = fileURLToPath(new URL('..', import.meta.url))
const FOLDERS = ['packages/auth', 'packages/client', 'packages/serve']

/** Taken into Node's files, with what they need. Packages that an agent's author shares with us stay packages. */
const TAKEN_IN = new Set([
  'close-with-grace',
  'cors',
  'eventsource-parser',
  'lru-cache',
  'p-limit',
  'pino',
])
/** Where Node's files are in `dist`, when the others are there too. */
const BUNDLED = 'bundled'
/** Whose code it is that was taken in, and on which terms: beside the files. */
const NOTICES = 'THIRD-PARTY-NOTICES.txt'

/** What a thread runs is a file of its own, which is found beside the one that starts it. */
const THREAD_MAINS = 'src/**/*-thread-main.ts'
const WRITTEN = `**/{*.js,*.js.map,${NOTICES}}`
const FILE_BESIDE = /new URL\(\s*['"]([^'"]+\.js)['"],\s*import\.meta\.url/g
const OUTPUT = /** @type {const} */ ({ format: 'esm', sourcemap: true })
/** What a file names of its own package. */
const BELONGS = /^[./]|^\w:[/\\]/
const INSTALLED = /^(.*[/\\]node_modules[/\\](?:@[^/\\]+[/\\])?[^/\\]+)[/\\]/

/**
 * Loggers write where they are told to: none has a thread of pino's.
 * @type {import('rolldown').Plugin}
 */
const NO_TRANSPORTS = {
  name: 'no-transports',
  load(id) {
    if (!/[/\\]pino[/\\]lib[/\\]transport\.js$/.test(id)) return null
    return `module.exports = () => { throw new TypeError('pino is here without its transports') }`
  },
}

for (const folder of FOLDERS) await bundle(join(root, folder))

/** @param {string} cwd the folder of a package */
async function bundle(cwd) {
  const made = mkdtempSync(join(cwd, 'node_modules/.bundle-'))
  const { exports } = readManifest(cwd)
  const hasNodeFiles = Object.values(exports).some(({ node }) => node !== undefined)
  if (hasNodeFiles) await writeModules(cwd, made)
  await writeFiles(cwd, made, hasNodeFiles ? 'node' : 'default')
  replaceFiles(made, join(cwd, 'dist'))
  rmSync(made, { recursive: true })
}

/**
 * A file for each module, and packages left as they are.
 * @param {string} cwd
 * @param {string} to
 */
async function writeModules(cwd, to) {
  const build = await rolldown({
    ...optionsOf(cwd),
    input: { ...readEntries(cwd, 'default'), ...findThreadMains(cwd) },
    external: (id) => !BELONGS.test(id),
  })
  const { output } = await build.write({
    ...OUTPUT,
    dir: to,
    preserveModules: true,
    preserveModulesRoot: join(cwd, 'src'),
  })
  checkFilesBeside(to, output)
}

/**
 * A file for each export, one for what several of them share, and one for each thread.
 * @param {string} cwd
 * @param {string} to
 * @param {'node' | 'default'} condition the one that names them
 */
async function writeFiles(cwd, to, condition) {
  const folder = condition === 'node' ? `${BUNDLED}/` : ''
  const options = {
    ...optionsOf(cwd),
    plugins: [NO_TRANSPORTS],
    external: (/** @type {string} */ id, /** @type {string} */ importer = '') =>
      isBuiltin(id) || !(BELONGS.test(id) || TAKEN_IN.has(id) || INSTALLED.test(importer)),
  }
  for (const [name, file] of Object.entries(findThreadMains(cwd))) {
    const build = await rolldown({ ...options, input: { [folder + name]: file } })
    await build.write({ ...OUTPUT, dir: to, codeSplitting: false })
  }
  const build = await rolldown({
    ...options,
    input: readEntries(cwd, condition),
    // What entries share may stand in one of them, which then exports it, too: a file less.
    preserveEntrySignatures: 'allow-extension',
  })
  const { output } = await build.write({
    ...OUTPUT,
    dir: to,
    chunkFileNames: `${folder}[name]-[hash].js`,
    codeSplitting: { groups: [{ name: 'shared', minShareCount: 2 }] },
  })
  checkFilesBeside(to, output)
  writeNotices(join(to, folder), output)
}

/**
 * @param {string} cwd
 * @returns {import('rolldown').InputOptions}
 */
function optionsOf(cwd) {
  return {
    cwd,
    platform: 'node',
    onLog(level, log) {
      if (level === 'warn') throw new Error(`${cwd}: ${log.message}`)
    },
  }
}

/**
 * @param {string} to
 * @param {readonly (import('rolldown').OutputChunk | import('rolldown').OutputAsset)[]} output
 */
function writeNotices(to, output) {
  const folders = output
    .flatMap((one) => (one.type === 'chunk' ? one.moduleIds : []))
    .map((id) => INSTALLED.exec(id)?.[1])
    .filter((folder) => folder !== undefined)
  const notices = [...new Set(folders)].map((folder) => {
    const { license, name, version } = readManifest(folder)
    const [file] = globSync('{LICEN,licen}*', { cwd: folder })
    if (file === undefined) throw new Error(`${name} has no licence to hand on`)
    const text = readFileSync(join(folder, file), 'utf8').trim()
    return `${name} ${version} (${license})\n\n${text}\n`
  })
  if (notices.length === 0) return
  writeFileSync(join(to, NOTICES), notices.toSorted().join(`\n${'-'.repeat(80)}\n\n`))
}

/**
 * Each file is there at any moment, old or new: several test files build at once, and read what another one builds.
 * @param {string} from a folder on the same disk
 * @param {string} to
 */
function replaceFiles(from, to) {
  const files = new Set(globSync(WRITTEN, { cwd: from }))
  for (const file of files) {
    mkdirSync(dirname(join(to, file)), { recursive: true })
    renameSync(join(from, file), join(to, file))
  }
  // Nothing of an earlier build is left to be packed.
  const old = globSync(WRITTEN, { cwd: to }).filter((file) => !files.has(file))
  for (const file of old) rmSync(join(to, file), { force: true })
}

/**
 * @param {string} cwd
 * @returns {Manifest}
 */
function readManifest(cwd) {
  return JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8'))
}

/**
 * @param {string} cwd
 * @param {'node' | 'default'} condition
 */
function readEntries(cwd, condition) {
  const named = Object.values(readManifest(cwd).exports).map((conditions) => [
    relative('dist', conditions[condition] ?? conditions.default).replace(/\.js$/, ''),
    conditions['@deputy/source'],
  ])
  return Object.fromEntries(named)
}

/** @param {string} cwd */
function findThreadMains(cwd) {
  const mains = globSync(THREAD_MAINS, { cwd }).map((file) => [
    file.replace(/^.*[/\\]|\.ts$/g, ''),
    `./${file}`,
  ])
  return Object.fromEntries(mains)
}

/**
 * A file that is named relative to the module is not seen by the bundler: it has to be there.
 * @param {string} to
 * @param {readonly (import('rolldown').OutputChunk | import('rolldown').OutputAsset)[]} output
 */
function checkFilesBeside(to, output) {
  for (const one of output) {
    if (one.type !== 'chunk') continue
    for (const [, name = ''] of one.code.matchAll(FILE_BESIDE)) {
      if (existsSync(join(to, dirname(one.fileName), name))) continue
      throw new Error(`${one.fileName} names ${name}, which is not beside it`)
    }
  }
}
