import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { makeAuditEvent } from '../../test-support/audit.ts'
import { makeAgent } from '../../test-support/storage-adapters.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import { openStorage } from '../storage/open-storage.ts'
import { runCommand } from './run-command.ts'

async function setUp() {
  const folder = await createTemporaryFolder()
  const file = folder.file('auth-server.sqlite')
  const printed: string[] = []
  const run = async (words: readonly string[], input: readonly string[] = []): Promise<void> =>
    runCommand(words, {
      database: { file },
      print: (text) => printed.push(text),
      async *readLines() {
        yield* input
      },
    })
  return {
    folder,
    file,
    printed,
    run,
    [Symbol.asyncDispose]: async () => folder[Symbol.asyncDispose](),
  }
}

const alice = { id: 'agent-alice', within: EVERY_OWNER } as const

describe('the commands', () => {
  test('back up a database that is in use, and put it back', async () => {
    await using world = await setUp()
    const before = await openStorage({ file: world.file })
    await before.agents.insert(makeAgent({ name: 'as it was' }))
    await world.run(['backup', world.folder.file('copy.sqlite')])
    await before.agents.update(alice, { name: 'changed' })
    await before.close()

    await world.run(['restore', world.folder.file('copy.sqlite')])

    await using after = await openStorage({ file: world.file })
    expect((await after.agents.find(alice))?.name).toBe('as it was')
    expect(world.printed.join('')).toContain('The key that seals its signing keys is not in it')
  })

  test('have whoever follows the revocation feed begin anew with what was restored', async () => {
    // Attack: a verifier has heard up to 2, the backup knows 1, and what is revoked next is a second 2.
    await using world = await setUp()
    const before = await openStorage({ file: world.file })
    const { feedId } = await before.revocations.head()
    await before.close()
    await world.run(['backup', world.folder.file('copy.sqlite')])

    await world.run(['restore', world.folder.file('copy.sqlite')])

    await using after = await openStorage({ file: world.file })
    expect((await after.revocations.head()).feedId).not.toBe(feedId)
  })

  test('export nothing of a database that is not there, and make none', async () => {
    await using world = await setUp()

    const exported = world.run(['audit-export'])

    await expect(exported).rejects.toThrow(/there is no database .*auth-server\.sqlite/)
    expect(existsSync(world.file)).toBe(false)
  })

  test('restore nothing while a server has the database open', async () => {
    await using world = await setUp()
    await using storage = await openStorage({ file: world.file })
    await storage.agents.insert(makeAgent())
    await world.run(['backup', world.folder.file('copy.sqlite')])

    const restored = world.run(['restore', world.folder.file('copy.sqlite')])

    await expect(restored).rejects.toThrow(/a running server uses it/)
  })

  test('export the audit trail with an entry of that, and verify what was exported', async () => {
    await using world = await setUp()
    const storage = await openStorage({ file: world.file })
    await storage.audit.record(makeAuditEvent({ tokenId: 'token-1' }))
    await storage.close()

    await world.run(['audit-export'])
    const lines = world.printed.splice(0)
    await world.run(['audit-check'], lines)

    const events = lines.map((line) => (JSON.parse(line) as { event: string }).event)
    expect(events).toEqual(['writer.started', 'token.issued', 'writer.started', 'audit.exported'])
    expect(world.printed).toEqual(['4 entries are as they were written\n'])
    const forged = lines.map((line) => line.replace('token-1', 'token-2'))
    await expect(world.run(['audit-check'], forged)).rejects.toThrow(/entry_altered/)
  })

  test.each([
    { words: ['dance'], message: /there is no command dance/ },
    { words: ['constructor'], message: /there is no command constructor/ },
    { words: ['backup'], message: /name the file: backup <target>/ },
  ])('say what is wrong with $words', async ({ message, words }) => {
    await using world = await setUp()

    await expect(world.run(words)).rejects.toThrow(message)
  })
})
