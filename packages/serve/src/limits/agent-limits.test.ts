import { expect, test } from 'vitest'
import { AgentLimitsSetting, readAgentLimits } from './agent-limits.ts'

test('every limit has a default', () => {
  const { webSocket, ...own } = readAgentLimits()

  expect(Object.values(own).every((value) => value > 0)).toBe(true)
  expect(Object.values(webSocket).every((value) => value > 0)).toBe(true)
})

test('what is not given, or given as undefined, is the default', () => {
  const limits = readAgentLimits({ maxBatchSize: 7, maxUrlBytes: undefined, webSocket: {} })

  expect(limits).toMatchObject({ maxBatchSize: 7, maxUrlBytes: 8192 })
})

test('a message may be as large as a body and as deep, unless something else is said', () => {
  const given = { maxBodyBytes: 500, maxJsonDepth: 5 }

  expect(readAgentLimits(given).webSocket).toMatchObject({ maxMessageBytes: 500, maxJsonDepth: 5 })
  expect(
    readAgentLimits({ ...given, webSocket: { maxMessageBytes: 50 } }).webSocket.maxMessageBytes,
  ).toBe(50)
})

test.each([0, -1, Number.NaN])('a limit of %d is refused, by its name', (value) => {
  expect(() => readAgentLimits({ maxBodyBytes: value })).toThrow(
    new TypeError(`limits.maxBodyBytes must be above 0, not ${String(value)}`),
  )
  expect(() => readAgentLimits({ webSocket: { maxSubscriptions: value } })).toThrow(
    new TypeError(`limits.webSocket.maxSubscriptions must be above 0, not ${String(value)}`),
  )
})

test('a time that no timer holds is refused: it would be over at once', () => {
  expect(() => readAgentLimits({ drainTimeoutMs: Number.POSITIVE_INFINITY })).toThrow(
    'limits.drainTimeoutMs must be at most 2147483647, not Infinity',
  )
})

test('no limit may be misspelt', () => {
  const misspelt: object = { maxBodyByte: 5 }

  expect(() => readAgentLimits(misspelt)).toThrow(new TypeError('limits.maxBodyByte is no limit'))
  expect(AgentLimitsSetting.safeParse(misspelt).success).toBe(false)
  expect(AgentLimitsSetting.safeParse({ webSocket: { maxBodyBytes: 5 } }).success).toBe(false)
})
