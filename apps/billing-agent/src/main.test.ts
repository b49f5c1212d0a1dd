import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { findFreePort } from '../../../test/support/find-free-port.ts'
import { createTemporaryFolder } from '../../../test/support/temporary-folder.ts'
import { startMain } from '../test-support/main-process.ts'

const SECRET = 'cs-agent-of-billing'

/** A folder with good credentials, and an environment that names them. */
async function createPlace() {
  const folder = await createTemporaryFolder()
  const port = await findFreePort()
  const credentials = {
    issuer: 'http://127.0.0.1:2884',
    client_id: 'agent-billing-v2',
    client_secret: SECRET,
    scope: 'research:read',
  }
  await writeFile(folder.file('billing.json'), JSON.stringify(credentials))
  const environment = {
    PORT: String(port),
    DEPUTY_CREDENTIALS_FILE: folder.file('billing.json'),
    DEPUTY_DATABASE_FILE: folder.file('billing.sqlite'),
  }
  return { ...folder, port, environment }
}

test.each([
  ['PORT', 'eighty'],
  ['DEPUTY_CREDENTIALS_FILE', ''],
  ['DEPUTY_RESEARCH_URL', 'localhost:2886'],
  ['DEPUTY_CLOCK_TOLERANCE_SECONDS', 'some'],
])('says in one sentence that %s is wrong, and exits with 1', async (name, value) => {
  await using place = await createPlace()
  await using main = startMain({ ...place.environment, [name]: value })

  const { exitCode, stderr, stdout } = await main.ended

  expect(stderr).toMatch(
    new RegExp(`^billing-agent: these settings are wrong: ${name}: [^\\n]+\\n$`),
  )
  expect([exitCode, stdout]).toEqual([1, ''])
  expect(existsSync(place.file('billing.sqlite'))).toBe(false)
})

test.each([
  ['is not there', undefined],
  ['is not JSON', `client_secret: ${SECRET}`],
  ['lacks the issuer', JSON.stringify({ client_id: 'a', client_secret: SECRET, scope: '' })],
])('says in one sentence that a credentials file %s, and shows nothing of it', async (_, text) => {
  await using place = await createPlace()
  const file = place.file('other.json')
  if (text !== undefined) await writeFile(file, text)
  await using main = startMain({ ...place.environment, DEPUTY_CREDENTIALS_FILE: file })

  const { exitCode, stderr, stdout } = await main.ended

  expect(stderr).toMatch(/^billing-agent: the credentials file [^\n]+ is of no use: [^\n]+\n$/)
  expect(stderr).not.toContain(SECRET)
  expect([exitCode, stdout]).toEqual([1, ''])
})

test('says in one sentence that its port is taken, and exits with 1', async () => {
  await using place = await createPlace()
  await using squatter = createServer()
  squatter.listen(place.port, '127.0.0.1')
  await once(squatter, 'listening')
  await using main = startMain(place.environment)

  const { exitCode, stderr, stdout } = await main.ended

  expect(stderr).toMatch(/^billing-agent: 127\.0\.0\.1:\d+ is already in use: [^\n]+\n$/)
  expect([exitCode, stdout]).toEqual([1, ''])
})

test('says in one sentence that its database is none, and exits with 1', async () => {
  await using place = await createPlace()
  await using main = startMain({
    ...place.environment,
    DEPUTY_DATABASE_FILE: import.meta.filename,
  })

  const { exitCode, stderr } = await main.ended

  expect(stderr).toMatch(/^billing-agent: cannot open the database [^\n]+\n$/)
  expect(exitCode).toBe(1)
})

test.each(['SIGTERM', 'SIGINT'] as const)('closes and exits with 0 on %s', async (signal) => {
  await using place = await createPlace()
  await using main = startMain(place.environment)
  await main.whenReady()

  main.kill(signal)

  const { exitCode, stderr, stdout } = await main.ended
  expect(stderr).toContain('"msg":"closed"')
  expect(stderr).not.toContain(SECRET)
  expect([exitCode, stdout]).toEqual([0, ''])
  expect(existsSync(place.file('billing.sqlite-wal'))).toBe(false)
})
