import type { Operation } from '@trpc/client'
import { expect, test } from 'vitest'
import { followCall } from './links/call-progress.ts'
import { frameParams, framedEncoder, withMessageParams } from './message-params.ts'

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

  const text = framedEncoder.encode([toMessage(framed), toMessage(op)])

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
