// The launcher. Plain JavaScript on purpose: it starts on any Node >= 18, before anything is installed.
//
//   node scripts/run.mjs <command> [args]
//
// brings the pinned pnpm and, where the host's Node is too old, a pinned Node (both from the npm
// registry), installs the workspace from the lockfile, then runs the command with that Node first on
// PATH. A stamp in node_modules remembers what was installed, so a second start goes straight to work.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NODE = '24.21.0'
const PNPM = '12.21.0'
const MIN = [24, 18]

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const isWindows = process.platform === 'win32'
const stampFile = join(root, 'node_modules', '.deputy-install.json')

/** Whatever pnpm reads to decide what to install: a change in any of it makes the stamp stale. */
function fingerprint() {
  const manifests = ['packages', 'apps'].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => join(folder, name, 'package.json')),
  )
  const hash = createHash('sha256').update(`${PNPM} ${NODE} ${process.version} ${process.arch}`)
  for (const file of [
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    'package.json',
    ...manifests,
    'test/package.json',
  ]) {
    if (existsSync(join(root, file))) hash.update(file).update(readFileSync(join(root, file)))
  }
  return hash.digest('hex')
}

/** npm's own settings for this run would confuse the npx and pnpm below. */
function cleanEnvironment() {
  const leaked = /^npm_(config_(package|call|yes|loglevel)|command|lifecycle_.*|package_.*)$/i
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !leaked.test(name)))
}

function readStamp(wanted) {
  try {
    const stamp = JSON.parse(readFileSync(stampFile, 'utf8'))
    return stamp.fingerprint === wanted && existsSync(stamp.tool.node) ? stamp.tool : undefined
  } catch {
    return undefined
  }
}

function install(env) {
  const [major, minor] = process.versions.node.split('.').map(Number)
  const isNewEnough = major > MIN[0] || (major === MIN[0] && minor >= MIN[1])
  // The per-platform package holds the binary itself and needs no install script.
  const os = isWindows ? 'win' : process.platform
  const variant = os === 'darwin' && process.arch === 'arm64' ? 'bin-' : ''
  const node = isNewEnough ? [] : ['-p', `node-${variant}${os}-${process.arch}@${NODE}`]
  const probe =
    'node -p "JSON.stringify({node:process.execPath,version:process.version,path:process.env.PATH})"'
  const reporter = process.stderr.isTTY ? 'default' : 'append-only'
  const script = `pnpm install --frozen-lockfile --reporter=${reporter} 1>&2 && ${probe}`
  const result = spawnSync(
    'npx',
    ['--yes', '--loglevel=error', ...node, '-p', `pnpm@${PNPM}`, '-c', script],
    { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', shell: isWindows },
  )
  if (result.error || result.status !== 0) {
    console.error(
      `deputy: set-up failed${result.error ? ` (${result.error.message})` : ', see the lines above'}. ` +
        'It needs npm on PATH and a way to the npm registry.',
    )
    process.exit(result.status || 1)
  }
  const tool = JSON.parse(result.stdout.trim().split('\n').at(-1))
  if (!/^v(2[4-9]|[3-9]\d)\./.test(tool.version)) {
    console.error(`deputy: Node ${tool.version} is too old, ${MIN.join('.')} or newer is needed`)
    process.exit(1)
  }
  return tool
}

const [command, ...args] = process.argv.slice(2)
if (!command) {
  console.error('usage: node scripts/run.mjs <command> [args]')
  process.exit(2)
}

const env = cleanEnvironment()
let tool = readStamp(fingerprint())
if (!tool) {
  console.error('deputy: installing what the lockfile names (once; later starts skip this)')
  tool = install(env)
  writeFileSync(stampFile, JSON.stringify({ fingerprint: fingerprint(), tool }))
}

// What V8 made of the code: a server starts in two thirds of the time, and the tests start hundreds of processes.
const compileCache = join(root, 'node_modules', '.cache', 'node')
const path = [dirname(tool.node), join(root, 'node_modules', '.bin'), tool.path].join(delimiter)
const child = spawn(command, args, {
  cwd: root,
  stdio: 'inherit',
  env: { NODE_COMPILE_CACHE: compileCache, ...env, PATH: path },
  shell: isWindows,
})
child.on('error', (error) => {
  console.error(`deputy: cannot run ${command}: ${error.message}`)
  process.exit(127)
})
// Ctrl-C reaches the child through the terminal; what a supervisor sends to us alone is passed on.
process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)))
