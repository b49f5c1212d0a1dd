// Imports go down the floors only. The lint says so; these tests plant an import that goes up or
// sideways in each room, and see the lint refuse it.
import { execFile } from 'node:child_process'
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { createTemporaryFolder } from '../support/temporary-folder.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Lints a folder that holds only one planted file, with the workspace's own rules. */
async function lintPlanted(file: string, imported: string): Promise<string> {
  await using folder = await createTemporaryFolder()
  await cp(join(root, '.oxlintrc.json'), folder.file('.oxlintrc.json'))
  await mkdir(dirname(folder.file(file)), { recursive: true })
  await writeFile(folder.file(file), `import { planted } from '${imported}'\n\nplanted()\n`)
  const oxlint = join(root, 'node_modules/.bin/oxlint')
  const options = { cwd: folder.path, env: { ...process.env, NO_COLOR: '1' } }
  // Awaited here: the folder is gone when this function returns.
  return await promisify(execFile)(oxlint, ['--config', '.oxlintrc.json', file], options).then(
    ({ stdout }) => stdout,
    (error: { stdout?: string }) => error.stdout ?? '',
  )
}

describe('refuses', () => {
  test.each([
    ['packages/auth/src/protocol/planted.ts', '@deputy/auth'],
    ['packages/auth/src/protocol/planted.ts', '@deputy/serve'],
    ['packages/auth/src/protocol/planted.ts', '../principal.ts'],
    ['packages/auth/src/protocol/planted.ts', 'node:crypto'],
    ['packages/auth/src/protocol/planted.ts', 'jose'],
    ['packages/auth/src/planted.ts', '@deputy/client'],
    ['packages/auth/src/verify/planted.ts', '../trpc/index.ts'],
    ['packages/auth/src/verify/planted.ts', '@trpc/server'],
    ['packages/auth/src/trpc/planted.ts', '@deputy/serve'],
    ['packages/storage/src/planted.ts', '@deputy/auth'],
    ['packages/client/src/planted.ts', '@deputy/auth'],
    ['packages/client/src/planted.ts', '@deputy/auth/trpc'],
    ['packages/client/src/planted.ts', 'node:fs'],
    ['packages/serve/src/planted.ts', '@deputy/client'],
    ['packages/serve/src/planted.ts', '@deputy/contracts/billing'],
    ['packages/contracts/src/planted.ts', '@deputy/serve'],
    ['packages/contracts/src/planted.ts', '@deputy/billing-agent'],
    ['packages/testing/src/planted.ts', '@deputy/contracts/billing'],
    ['packages/testing/src/planted.ts', '@deputy/billing-agent'],
    ['packages/serve/src/planted.ts', '@deputy/testing'],
    ['apps/billing-agent/src/planted.ts', '@deputy/testing'],
    ['apps/auth-server/src/planted.ts', '@deputy/contracts/billing'],
    ['apps/auth-server/src/planted.ts', '@deputy/client'],
    ['apps/auth-server/src/planted.ts', '@deputy/billing-agent'],
    ['apps/billing-agent/src/planted.ts', '@deputy/research-agent'],
    ['apps/billing-agent/src/planted.ts', '@deputy/auth-server'],
    ['apps/billing-agent/src/planted.ts', '../../research-agent/src/app.ts'],
    ['apps/research-agent/src/planted.ts', '@deputy/billing-agent'],
    ['apps/research-agent/src/deep/planted.ts', '../../../billing-agent/src/app.ts'],
    ['apps/demo/src/planted.ts', '@deputy/serve'],
    ['apps/demo/src/planted.ts', '@deputy/billing-agent'],
  ])('%s importing %s', async (file, imported) => {
    const output = await lintPlanted(file, imported)

    expect(output).toContain('eslint(no-restricted-imports)')
  })
})

describe('lets pass', () => {
  test.each([
    ['packages/auth/src/protocol/planted.ts', 'zod'],
    ['packages/auth/src/protocol/planted.ts', './scope.ts'],
    ['packages/auth/src/verify/planted.ts', '../protocol/index.ts'],
    ['packages/auth/src/trpc/planted.ts', '../verify/authenticator.ts'],
    ['packages/client/src/planted.ts', '@deputy/auth/protocol'],
    ['packages/client/src/node/planted.ts', 'node:fs'],
    ['packages/serve/src/planted.ts', '@deputy/auth/trpc'],
    ['packages/contracts/src/planted.ts', '@deputy/auth/trpc'],
    ['packages/testing/src/planted.ts', '@deputy/auth-server'],
    ['packages/testing/src/deep/planted.ts', '@deputy/client'],
    ['apps/auth-server/src/planted.ts', '@deputy/storage'],
    ['apps/billing-agent/src/planted.ts', '@deputy/contracts/research'],
    ['apps/billing-agent/src/holds/planted.ts', '../ledger/posting.ts'],
    ['apps/research-agent/src/planted.ts', '@deputy/client/node'],
  ])('%s importing %s', async (file, imported) => {
    const output = await lintPlanted(file, imported)

    expect(output).toContain('0 errors')
  })
})
