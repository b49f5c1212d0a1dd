import { generateKeyPair, generateKeyPairSync, pbkdf2, sign as signWithKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { watchRest } from './rest.ts'

/** Gives the threads that Node works with more to do than there are of them. */
async function occupyThreads(): Promise<void> {
  const jobs = Array.from(
    { length: 12 },
    async () =>
      new Promise<void>((resolve) => {
        pbkdf2('a password', 'salt', 20_000, 32, 'sha256', () => resolve())
      }),
  )
  await Promise.all(jobs)
}

/** Something that goes on, and what came of it. */
function start(work: () => Promise<unknown>): { isDone: boolean } {
  const state = { isDone: false }
  const run = async (): Promise<void> => {
    await work()
    state.isDone = true
  }
  void run()
  return state
}

const sign = async (): Promise<void> => {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const { privateKey } = await crypto.subtle.generateKey(algorithm, false, ['sign'])
  await crypto.subtle.sign(algorithm, privateKey, new Uint8Array(8))
}

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

const signByCallback = async (): Promise<void> => {
  await new Promise((resolve) => {
    signWithKey('sha256', new Uint8Array(8), privateKey, resolve)
  })
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await nextTurn()
}

async function timer(ms: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

describe('what is waited for, however busy the machine is', () => {
  test.each([
    ['cryptography on other threads', sign],
    ['signatures of node:crypto', signByCallback],
    ['keys that node:crypto makes', async () => promisify(generateKeyPair)('ed25519')],
    ['files', async () => readFile(import.meta.filename)],
    ['turn after turn of the event loop', async () => turns(50)],
    ['calls that are collected into a batch', async () => timer(0)],
    [
      'one after the other',
      async () => {
        await timer(0)
        await sign()
        await timer(1)
        await turns(8)
        await readFile(import.meta.filename)
        await sign()
      },
    ],
  ])('%s', async (_what, work) => {
    using rest = watchRest()
    const occupied = occupyThreads()

    const state = start(work)
    await rest.settle()

    expect(state).toEqual({ isDone: true })
    await occupied
  })

  test('what fails', async () => {
    using rest = watchRest()
    const algorithm = { name: 'AES-GCM', iv: new Uint8Array(12) }
    const key = await crypto.subtle.importKey('raw', new Uint8Array(16), 'AES-GCM', false, [
      'decrypt',
    ])
    const occupied = occupyThreads()

    const state = start(async () => {
      const nonsense = crypto.subtle.decrypt(algorithm, key, new Uint8Array(64))
      await expect(nonsense).rejects.toHaveProperty('name', 'OperationError')
    })
    await rest.settle()

    expect(state).toEqual({ isDone: true })
    await occupied
  })
})

test('nobody waits for what only time or the test itself will end', async () => {
  using rest = watchRest()
  const { promise, resolve } = Promise.withResolvers<void>()
  const state = start(async () => promise)
  const late = setTimeout(resolve, 60_000)

  await rest.settle()

  expect(state).toEqual({ isDone: false })
  clearTimeout(late)
})

test('nor for a signature that was made at once', async () => {
  using rest = watchRest()
  signWithKey('sha256', new Uint8Array(8), privateKey)

  expect(await rest.settle()).toBeUndefined()
})

test('two that wait do not keep each other waiting', async () => {
  using one = watchRest()
  using other = watchRest()

  await Promise.all([one.settle(), other.settle(), one.settle()])

  expect(await other.settle()).toBeUndefined()
})

test('what sets itself off again and again is named as such', async () => {
  using rest = watchRest()
  let isOver = false
  const again = (): void => {
    if (!isOver) setImmediate(again)
  }
  again()

  await expect(rest.settle()).rejects.toThrow(/does not come to rest/)
  isOver = true
})

test('the process is left as it was when the last one is gone', () => {
  const readDigest = (): unknown => Reflect.get(crypto.subtle, 'digest')
  const original = readDigest()
  const first = watchRest()
  const second = watchRest()
  const counted = readDigest()

  first[Symbol.dispose]()
  first[Symbol.dispose]()

  expect(counted).not.toBe(original)
  expect(readDigest()).toBe(counted)
  second[Symbol.dispose]()
  expect(readDigest()).toBe(original)
})
