import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { makeAgent } from '../../test-support/storage-adapters.ts'
import type { Client, KnownSecret } from './client-directory.ts'
import { toAgentRow, toClient as readClient } from '../storage/agent-row.ts'
import { writeSecretRecord } from './secret-record.ts'
import { CHUNK_BYTES, createSecretTable } from './secret-table.ts'

const MEGABYTE = 1 << 20

const hashOf = (text: string) => createHash('sha256').update(text).digest()

function toClient(members: Partial<Client> = {}): Client {
  return { ...readClient(toAgentRow(makeAgent())), ...members }
}

function makeSecret(number: number, members: Partial<KnownSecret> = {}): KnownSecret {
  return {
    agent: toClient({ id: `agent-${String(number)}` }),
    credentialId: `secret-${String(number)}`,
    expiresAt: undefined,
    deactivatedAt: undefined,
    ...members,
  }
}

test('finds each of a hundred thousand as it was, and none that is not there', () => {
  const table = createSecretTable(64 * MEGABYTE)
  const count = 100_000
  for (let number = 0; number < count; number += 1) {
    table.add(hashOf(String(number)), { value: makeSecret(number), version: number })
  }

  let wrong = 0
  for (let number = 0; number < count; number += 1) {
    const found = table.find(hashOf(String(number)))
    if (found?.version !== number || found.value.agent.id !== `agent-${String(number)}`) wrong += 1
    if (table.find(hashOf(`none-${String(number)}`)) !== undefined) wrong += 1
  }

  expect(wrong).toBe(0)
  expect(table.find(hashOf('7'))).toEqual({ value: makeSecret(7), version: 7 })
})

test.each([
  { what: 'an end and a deactivation', members: { expiresAt: 1_800_000_000, deactivatedAt: 0 } },
  {
    what: 'settings of its own',
    members: { agent: toClient({ scopes: ['notes:read'], url: 'https://notes.example' }) },
  },
  { what: 'an end a century from now', members: { expiresAt: 4_900_000_000 } },
])('keeps $what', ({ members }) => {
  const table = createSecretTable(MEGABYTE)
  table.add(hashOf('other'), { value: makeSecret(1), version: 1 })
  const value = makeSecret(2, members)

  table.add(hashOf('one'), { value, version: 3 })

  expect(table.find(hashOf('one'))).toEqual({ value, version: 3 })
})

test('keeps the newer of two with one hash', () => {
  const table = createSecretTable(MEGABYTE)
  table.add(hashOf('one'), { value: makeSecret(1), version: 1 })

  table.add(hashOf('one'), { value: makeSecret(2), version: 2 })

  expect(table.find(hashOf('one'))).toEqual({ value: makeSecret(2), version: 2 })
})

// The attack: hashes are found by some of their bytes first; one that shares these must not be taken for another.
test('tells hashes apart that begin alike', () => {
  const table = createSecretTable(MEGABYTE)
  const hash = hashOf('one')
  table.add(hash, { value: makeSecret(1), version: 1 })

  for (const place of [5, 6, 31]) {
    const other = Buffer.from(hash)
    other[place] = 255 - (other[place] ?? 0)
    expect(table.find(other)).toBeUndefined()
  }
})

test('does not remember what it cannot hold', () => {
  const table = createSecretTable(MEGABYTE)

  table.add(hashOf('one'), { value: makeSecret(1, { credentialId: 'schlüssel' }), version: 1 })
  table.add(hashOf('two'), { value: makeSecret(2, { credentialId: 'x'.repeat(2000) }), version: 1 })

  expect(table.find(hashOf('one'))).toBeUndefined()
  expect(table.find(hashOf('two'))).toBeUndefined()
})

test('never takes more than it may, and forgets the oldest first', () => {
  const table = createSecretTable(4 * MEGABYTE)
  let most = 0
  for (let number = 0; number < 60_000; number += 1) {
    const secret = makeSecret(number, { agent: toClient({ id: `agent-${String(number)}` }) })
    table.add(hashOf(String(number)), { value: secret, version: 1 })
    most = Math.max(most, table.size())
  }

  // A chunk is taken as a whole.
  expect(most).toBeLessThanOrEqual(4 * MEGABYTE + 4 * CHUNK_BYTES)
  expect(table.find(hashOf('0'))).toBeUndefined()
  expect(table.find(hashOf('59999'))).toBeDefined()
  expect(table.find(hashOf('50000'))).toBeDefined()
})

test('reckons with settings that no two agents share', () => {
  const table = createSecretTable(2 * MEGABYTE)
  for (let number = 0; number < 3000; number += 1) {
    const agent = toClient({
      id: `agent-${String(number)}`,
      url: `https://${String(number)}.example`,
    })
    table.add(hashOf(String(number)), { value: makeSecret(number, { agent }), version: 1 })
  }

  expect(table.find(hashOf('0'))).toBeUndefined()
  expect(table.find(hashOf('2999'))?.value.agent.url).toBe('https://2999.example')
})

test('takes over what was read elsewhere, with its settings, and has room until it is full', () => {
  const table = createSecretTable(MEGABYTE)
  const { id: _none, ...settings } = toClient()
  const others = { ...settings, scopes: ['notes:read'] }
  const bytes = Buffer.alloc(1000)
  const records = ['one', 'two'].map((text, place) => ({
    secretHash: hashOf(text),
    version: 5,
    expiresAt: undefined,
    deactivatedAt: undefined,
    settings: place,
    credentialId: `secret-${text}`,
    agentId: `agent-${text}`,
  }))
  const end = records.reduce((at, record) => writeSecretRecord(bytes, at, record), 0)
  const chunk = () => ({
    bytes: Uint8Array.from(bytes.subarray(0, end)),
    settings: [settings, others],
  })
  table.add(hashOf('zero'), { value: makeSecret(0), version: 1 })

  table.adopt(chunk())

  expect(table.find(hashOf('one'))?.value).toMatchObject({ credentialId: 'secret-one' })
  expect(table.find(hashOf('two'))).toMatchObject({
    value: { agent: { id: 'agent-two', scopes: ['notes:read'] } },
    version: 5,
  })
  expect(table.hasRoom()).toBe(true)
  for (let times = 0; times < 10_000 && table.hasRoom(); times += 1) table.adopt(chunk())
  expect(table.hasRoom()).toBe(false)
  expect(table.find(hashOf('zero'))).toBeDefined()
})
