// Builds what is started, as it runs in production: JavaScript, each main in one file, packages as they are installed.
import { execFile } from 'node:child_process'
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { rolldown } from 'rolldown'

export type BuiltServers = {
  /** The main of an agent, with one copy of each package that it and Deputy's packages use. */
  readonly deputy: string
  readonly 'trpc-standalone': string
  readonly bare: string
}

const root = fileURLToPath(new URL('../../..', import.meta.url))
const sources = join(root, 'bench/src')
const output = join(root, 'bench/dist/start')

/** Builds Deputy's packages and the mains. */
export async function buildServers(): Promise<BuiltServers> {
  await promisify(execFile)(process.execPath, [join(root, 'scripts/bundle.mjs')])
  await rm(output, { recursive: true, force: true })
  await layOutAgent()
  return {
    deputy: await build('start/servers/agent-main.ts', 'agent'),
    'trpc-standalone': await build('calls/peers/trpc-standalone-main.ts', 'peers'),
    bare: await build('calls/servers/bare-main.ts', 'peers'),
  }
}

/** A folder in which packages are found as an installation would have them. */
async function layOutAgent(): Promise<void> {
  const modules = join(output, 'agent/node_modules')
  await mkdir(join(modules, '@deputy'), { recursive: true })
  for (const name of ['auth', 'serve']) {
    await symlink(join(root, 'packages', name), join(modules, '@deputy', name), 'junction')
  }
  await symlink(join(root, 'packages/auth/node_modules/zod'), join(modules, 'zod'), 'junction')
  await writeFile(join(output, 'package.json'), '{ "type": "module" }')
}

const OUR_SOURCE = /\/packages\/(\w+)\/src\/(?:(\w+)\/)?index\.ts$/

async function build(main: string, folder: 'agent' | 'peers'): Promise<string> {
  const bundle = await rolldown({
    input: join(sources, main),
    platform: 'node',
    external: (id) => !id.startsWith('.') && !isAbsolute(id),
    plugins: [
      {
        name: 'by-package-name',
        resolveId(source) {
          const found = OUR_SOURCE.exec(source)
          if (found === null) return null
          const [, name = '', path] = found
          return { id: `@deputy/${name}${path === undefined ? '' : `/${path}`}`, external: true }
        },
      },
    ],
  })
  const file = join(output, folder, main.replace(/^.*\/|\.ts$/g, '') + '.js')
  await mkdir(dirname(file), { recursive: true })
  await bundle.write({ file, format: 'esm' })
  return file
}
