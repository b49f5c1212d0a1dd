import type { Operation } from '@trpc/client'
import { expect, test } from 'vitest'
import { followCall } from './links/call-progress.ts'
import { createFramedEncoder, frameParams, withMessageParams } from './message-params.ts'

const framedEncoder = createFramedEncoder(() => undefined)

const op: Operation = {
  id: 1,
  type: 'query',
  path: 'echo',
  input: { text: 'hello' },
  context: {},
  signal: null,
}
const toMessage = ({ input, path }: Operation) => ({
  id: 7,
  method: 'query',
  params: { path, input },
})

test('what a call says beside its input is in the parameters of its message', () => {
  const framed = frameParams(withMessageParams(op, { timeoutMs: 500 }))

  const text = framedEncoder.encode([toMessage(framed), toMessage(frameParams(op))])

  expect(framedEncoder.decode(text)).toEqual([
    { id: 7, method: 'query', params: { path: 'echo', input: { text: 'hello' }, timeoutMs: 500 } },
    { id: 7, method: 'query', params: { path: 'echo', input: { text: 'hello' } } },
  ])
})

test('a call is sent when its message is written, and not before', () => {
  const { op: followed, progress } = followCall(op)
  const framed = frameParams(followed)
  const before = progress.mayBeDone

  const text = framedEncoder.encode(toMessage(framed))

  expect([before, progress.mayBeDone]).toEqual([false, true])
  expect(framedEncoder.decode(text)).toEqual(toMessage(op))
})

test('messages that are no calls are written as they are', () => {
  const stop = { id: 7, method: 'subscription.stop' }

  expect(framedEncoder.decode(framedEncoder.encode(stop))).toEqual(stop)
})

test('a call without an input has none in its message', () => {
  const framed = frameParams(withMessageParams({ ...op, input: undefined }, { timeoutMs: 500 }))

  expect(framedEncoder.decode(framedEncoder.encode(toMessage(framed)))).toEqual({
    id: 7,
    method: 'query',
    params: { path: 'echo', timeoutMs: 500 },
  })
})

test('what an input has in it is not taken for what stands beside it', () => {
  const input = { text: '"},"timeoutMs":1', path: 'pay', timeoutMs: 2 }
  const framed = frameParams(withMessageParams({ ...op, input }, { timeoutMs: 500 }))

  expect(framedEncoder.decode(framedEncoder.encode(toMessage(framed)))).toEqual({
    id: 7,
    method: 'query',
    params: { path: 'echo', input, timeoutMs: 500 },
  })
})
