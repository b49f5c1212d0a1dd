import { createLogger } from '@deputy/serve'
import { expect, test } from 'vitest'
import type { Versioned } from './client-directory.ts'
import { startLearningSecrets } from './learn-secrets.ts'
import type { SecretReader } from './secret-reader.ts'
import type { SecretChunk } from './secret-table.ts'

const CHUNK: Versioned<SecretChunk> = {
  version: 1,
  value: { bytes: new Uint8Array(), settings: [] },
}

/** A reader of so many chunks, and what becomes of them in a memory with room for `room`. */
function setUp({ chunks, fault, room = 100 }: { chunks: number; room?: number; fault?: Error }) {
  const seen = { learnt: 0, closed: 0, warnings: [] as unknown[] }
  const done = Promise.withResolvers<void>()
  let left = chunks
  const reader: SecretReader = {
    async next() {
      if (fault !== undefined) throw fault
      left -= 1
      return left < 0 ? undefined : CHUNK
    },
    async close() {
      seen.closed += 1
      done.resolve()
    },
  }
  const memory = {
    hasRoom: () => seen.learnt < room,
    learn: async () => void (seen.learnt += 1),
  }
  const logger = createLogger({
    name: 'auth-server',
    write: (line) => seen.warnings.push(JSON.parse(line)),
  })
  return {
    done: done.promise,
    seen,
    reader,
    start: { memory, openReader: async () => reader, logger },
  }
}

test.each([
  { what: 'all that there is', chunks: 5, room: 100, learnt: 5 },
  { what: 'as much as there is room for', chunks: 50, room: 3, learnt: 3 },
])('learns $what, and closes the reader', async ({ chunks, learnt, room }) => {
  const { done, seen, start } = setUp({ chunks, room })

  await using _learning = startLearningSecrets(start)
  await done

  expect(seen).toEqual({ learnt, closed: 1, warnings: [] })
})

test('stops when the server closes', async () => {
  const { seen, start } = setUp({ chunks: 1_000_000, room: Number.POSITIVE_INFINITY })

  await startLearningSecrets(start)[Symbol.asyncDispose]()

  expect(seen.learnt).toBeLessThan(10)
  expect(seen.closed).toBe(1)
})

test('says that it could not read, and the server goes on', async () => {
  const { done, seen, start } = setUp({ chunks: 1, fault: new Error('disk broken') })

  const learning = startLearningSecrets(start)
  await done
  await learning[Symbol.asyncDispose]()

  expect(seen).toMatchObject({
    learnt: 0,
    closed: 1,
    warnings: [{ level: 40, err: { message: 'disk broken' } }],
  })
})

test('does nothing where there is no reader', async () => {
  const { seen, start } = setUp({ chunks: 1 })

  await startLearningSecrets({ ...start, openReader: async () => undefined })[Symbol.asyncDispose]()

  expect(seen).toEqual({ learnt: 0, closed: 0, warnings: [] })
})
