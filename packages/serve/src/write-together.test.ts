import { setImmediate as endOfTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { writeTogether } from './write-together.ts'

test('what is written in one turn leaves at its end, in order', async () => {
  const written: string[] = []
  writeTogether(() => written.push('first'))
  await Promise.resolve()
  writeTogether(() => written.push('second'))
  expect(written).toEqual([])
  await endOfTurn()
  expect(written).toEqual(['first', 'second'])
})

test('what a write asks for leaves at the end of the next turn', async () => {
  const written: string[] = []
  writeTogether(() => {
    written.push('first')
    writeTogether(() => written.push('later'))
  })
  await endOfTurn()
  expect(written).toEqual(['first'])
  await endOfTurn()
  expect(written).toEqual(['first', 'later'])
})

test('whoever came first does not wait for more than 64', async () => {
  let written = 0
  for (let count = 0; count < 65; count += 1) writeTogether(() => (written += 1))
  expect(written).toBe(64)
  await endOfTurn()
  expect(written).toBe(65)
})

test('a write that throws leaves nobody else without an answer', async () => {
  const written: string[] = []
  const failed = Promise.withResolvers<unknown>()
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.once('uncaughtException', failed.resolve)
  writeTogether(() => {
    throw new Error('the socket is gone')
  })
  writeTogether(() => written.push('second'))
  await expect(failed.promise).resolves.toMatchObject({ message: 'the socket is gone' })
  for (const listener of listeners) process.on('uncaughtException', listener)
  await endOfTurn()
  expect(written).toEqual(['second'])
})
