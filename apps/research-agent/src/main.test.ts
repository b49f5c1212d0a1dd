import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { writeFiles } from '../../../test/support/documents.ts'
import { findFreePort } from '../../../test/support/find-free-port.ts'
import { createTemporaryFolder } from '../../../test/support/temporary-folder.ts'
import { startMain } from '../test-support/main-process.ts'

const SECRET = 'cs-agent-of-research'

/** A folder with good credentials and one document, and an environment that names them. */
async function createPlace() {
  const folder = await createTemporaryFolder()
  const port = await findFreePort()
  const credentials = {
    issuer: `http://127.0.0.1:${String(await findFreePort())}`,
    client_id: 'agent-research-v1',
    client_secret: SECRET,
    scope: 'billing:write',
  }
  await writeFile(folder.file('research.json'), JSON.stringify(credentials))
  await writeFiles(folder.file('documents'), { 'a.md': 'Apples are red fruit.' })
  const environment = {
    PORT: String(port),
    DEPUTY_CREDENTIALS_FILE: folder.file('research.json'),
    DEPUTY_DATABASE_FILE: folder.file('research.sqlite'),
    DEPUTY_DOCUMENTS: folder.file('documents'),
  }
  return { ...folder, url: `http://127.0.0.1:${String(port)}`, environment }
}

test.each([
  ['PORT', 'eighty'],
  ['DEPUTY_BILLING_URL', 'localhost:2885'],
])('says in one sentence that %s is wrong, and exits with 1', async (name, value) => {
  await using place = await createPlace()
  await using main = startMain({ ...place.environment, [name]: value })

  const { exitCode, stderr, stdout } = await main.ended

  expect(stderr).toMatch(
    new RegExp(`^research-agent: these settings are wrong: ${name}: [^\\n]+\\n$`),
  )
  expect([exitCode, stdout]).toEqual([1, ''])
  expect(existsSync(place.file('research.sqlite'))).toBe(false)
})

test('says in one sentence that its credentials are of no use, and shows nothing of them', async () => {
  await using place = await createPlace()
  await writeFile(place.file('research.json'), `client_secret: ${SECRET}`)
  await using main = startMain(place.environment)

  const { exitCode, stderr } = await main.ended

  expect(stderr).toMatch(/^research-agent: the credentials file [^\n]+ is of no use: [^\n]+\n$/)
  expect(stderr).not.toContain(SECRET)
  expect(exitCode).toBe(1)
})

test.each(['SIGTERM', 'SIGINT'] as const)('closes and exits with 0 on %s', async (signal) => {
  await using place = await createPlace()
  await using main = startMain(place.environment)
  await main.whenReady()
  const ready = await fetch(`${place.url}/readyz`)

  main.kill(signal)

  const { exitCode, stderr, stdout } = await main.ended
  expect(ready.status).toBe(200)
  expect(stderr).toContain('"msg":"closed"')
  expect(stderr).not.toContain(SECRET)
  expect([exitCode, stdout]).toEqual([0, ''])
  expect(existsSync(place.file('research.sqlite-wal'))).toBe(false)
})
