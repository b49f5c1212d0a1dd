import { openDatabase } from '@deputy/storage'
import { describe, expect, test } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { makeAuditEvent } from '../../test-support/audit.ts'
import type { CommittedBatch, IssueBatch } from './issue-batch.ts'
import { createIssueSender } from './issue-sender.ts'
import { migrations } from './migrations.ts'
import type { Tables } from './tables.ts'

type Reply = PromiseWithResolvers<CommittedBatch | 'refused'>

/** A sender to a thread that answers when the test says so. */
async function createSending() {
  const folder = await createTemporaryFolder()
  const database = await openDatabase<Tables>({ file: `${folder.path}/file.sqlite`, migrations })
  const { db, lendWriter } = database
  if (lendWriter === undefined) throw new Error('a file has turns to lend')
  const sent: (Reply & { readonly batch: IssueBatch })[] = []
  const sender = createIssueSender({
    db,
    lendWriter,
    thread: {
      async commit(batch) {
        const reply = { ...Promise.withResolvers<CommittedBatch | 'refused'>(), batch }
        sent.push(reply)
        return reply.promise
      },
    },
    clock: createSettableClock(),
    onWritten: () => {},
  })
  const write = async (tokenId: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const event = makeAuditEvent({ tokenId })
      const issue = { event, basis: undefined, node: undefined, jwtInput: undefined }
      sender.send({ issue, handle: undefined, resolve, reject })
    })
  return {
    database,
    sender,
    sent,
    write,
    /** As many at once as are sent at once. */
    writeFull: async (name: string) =>
      Promise.allSettled(Array.from({ length: 16 }, async () => write(name))),
    whenSent: async (count: number): Promise<void> => {
      while (sent.length < count) await new Promise(setImmediate)
    },
    async [Symbol.asyncDispose]() {
      await database.close()
      await folder[Symbol.asyncDispose]()
    },
  }
}

type Sending = Awaited<ReturnType<typeof createSending>>

function answerWritten({ sent }: Sending, place: number): void {
  const { batch, resolve } = sent[place] ?? raise()
  resolve({
    outcomes: batch.issues.map(() => 'written'),
    head: { writerId: 'writer', seq: place + 2, hash: `hash-${String(place)}` },
    signatures: new Uint8Array(0),
  })
}

function raise(): never {
  throw new Error('that many were not sent')
}

const namesOf = ({ sent }: Sending) =>
  sent.map(({ batch }) => batch.issues.map(({ event }) => event.tokenId))

const sixteen = (value: unknown) => Array.from({ length: 16 }, () => value)

const written = { status: 'fulfilled', value: 'written' }

describe('what is written down by a thread', () => {
  test('is sent together, when it came in one turn of the event loop', async () => {
    await using sending = await createSending()
    const outcomes = Promise.all([sending.write('first'), sending.write('second')])
    await sending.whenSent(1)
    answerWritten(sending, 0)

    expect(await outcomes).toEqual(['written', 'written'])
    expect(namesOf(sending)).toEqual([['first', 'second']])
  })

  test('is sent without waiting for what is under way, and answered one batch after the other', async () => {
    await using sending = await createSending()
    const first = sending.writeFull('first')
    await sending.whenSent(1)
    const second = sending.writeFull('second')
    await sending.whenSent(2)

    answerWritten(sending, 0)
    expect(await first).toEqual(sixteen(written))
    expect(sending.sender.head()?.hash).toBe('hash-0')
    answerWritten(sending, 1)
    expect(await second).toEqual(sixteen(written))
    expect(sending.sent.map(({ batch }) => batch.start !== undefined)).toEqual([true, false])
  })

  test('is sent again with a new chain, when it was under way behind a commit that failed', async () => {
    await using sending = await createSending()
    const outcomes: Promise<unknown>[] = []
    for (const name of ['failing', 'second', 'third']) {
      outcomes.push(sending.writeFull(name))
      await sending.whenSent(outcomes.length)
    }

    sending.sent[0]?.reject(new Error('the disk is full'))
    sending.sent[1]?.resolve('refused')
    await new Promise(setImmediate)
    // Not before the thread has refused all of them: it could otherwise write one of them twice.
    expect(sending.sent).toHaveLength(3)
    sending.sent[2]?.resolve('refused')
    await sending.whenSent(4)
    answerWritten(sending, 3)

    expect(await Promise.all(outcomes)).toEqual([
      sixteen({ status: 'rejected', reason: new Error('the disk is full') }),
      sixteen(written),
      sixteen(written),
    ])
    const [first, , , again] = sending.sent
    expect(again?.batch.start?.writerId).not.toBe(first?.batch.start?.writerId)
    expect(namesOf(sending)[3]).toEqual([...sixteen('second'), ...sixteen('third')])
  })

  test('lets whoever else wants to write have a turn, however much is to be sent', async () => {
    await using sending = await createSending()
    const { database, sent } = sending
    void sending.writeFull('first')
    await sending.whenSent(1)
    let isOthersTurn = false
    const other = database.commit(async () => {
      isOthersTurn = true
    })
    await new Promise(setImmediate)
    const second = sending.writeFull('second')
    await new Promise(setImmediate)
    expect([isOthersTurn, sent.length]).toEqual([false, 1])

    answerWritten(sending, 0)
    await other
    await sending.whenSent(2)
    answerWritten(sending, 1)
    expect(await second).toEqual(sixteen(written))
  })

  test('never holds more than 256 under way', async () => {
    await using sending = await createSending()
    const outcomes = Array.from({ length: 20 }, async (_none, place) =>
      sending.writeFull(String(place)),
    )
    await sending.whenSent(1)
    await new Promise(setImmediate)
    const count = () => sending.sent.reduce((sum, { batch }) => sum + batch.issues.length, 0)
    expect(count()).toBe(256)

    for (let place = 0; count() < 320 || place < sending.sent.length; place += 1) {
      await sending.whenSent(place + 1)
      answerWritten(sending, place)
      await new Promise(setImmediate)
    }
    expect((await Promise.all(outcomes)).flat()).toEqual(Array.from({ length: 320 }, () => written))
  })

  test('is refused when no chain can be begun, and the next is tried again', async () => {
    await using sending = await createSending()
    await sending.database.db.schema.alterTable('audit_entry').renameTo('gone').execute()
    await expect(sending.write('first')).rejects.toThrow(/audit_entry/)

    await sending.database.db.schema.alterTable('gone').renameTo('audit_entry').execute()
    const second = sending.write('second')
    await sending.whenSent(1)
    answerWritten(sending, 0)
    expect(await second).toBe('written')
  })

  test('is waited for by whoever closes', async () => {
    await using sending = await createSending()
    let isIdle = false
    const outcome = sending.write('first')
    const idle = sending.sender.whenIdle().then(() => (isIdle = true))
    await sending.whenSent(1)
    expect(isIdle).toBe(false)
    answerWritten(sending, 0)
    await idle
    expect(await outcome).toBe('written')
  })
})
