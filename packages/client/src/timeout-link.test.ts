import { createTRPCClient, TRPCClientError, type TRPCLink } from '@trpc/client'
import { observable } from '@trpc/server/observable'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { TestRouter } from '../../../test/support/test-agent.ts'
import { toClientError } from './error/to-client-error.ts'
import { readProgress } from './links/call-progress.ts'
import { createTimeoutLink } from './timeout-link.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A client whose calls are answered after so long, if ever. */
function createClient(answerAfterMs: number, fault?: Error, isSent = true) {
  let isCancelled = false
  const server: TRPCLink<TestRouter> =
    () =>
    ({ op }) =>
      observable((observer) => {
        if (isSent) readProgress(op)?.noteSent()
        op.signal?.addEventListener('abort', () => {
          observer.error(TRPCClientError.from(new Error('given up')))
        })
        const timer = setTimeout(() => {
          if (fault) observer.error(TRPCClientError.from(fault))
          else observer.next({ result: { type: 'data', data: 'answer' } })
          observer.complete()
        }, answerAfterMs)
        return () => {
          isCancelled = true
          clearTimeout(timer)
          // As tRPC's WebSocket link does: what is cancelled is also completed.
          observer.complete()
        }
      })
  const client = createTRPCClient<TestRouter>({ links: [createTimeoutLink(1000), server] })
  return { client, isCancelled: () => isCancelled }
}

describe('a call', () => {
  test('that is answered in time is answered, and leaves no timer behind', async () => {
    const { client } = createClient(999)
    const call = client.whoAmI.query()

    await vi.advanceTimersByTimeAsync(999)

    expect(await call).toBe('answer')
    expect(vi.getTimerCount()).toBe(0)
  })

  test('that fails in time fails for its own reason, and leaves no timer behind', async () => {
    const { client } = createClient(10, new Error('its own reason'))
    const call = client.whoAmI.query().catch((error: unknown) => error)

    await vi.advanceTimersByTimeAsync(10)

    expect(await call).toMatchObject({ message: 'its own reason' })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('that is not answered in time is given up, cancelled and explained', async () => {
    const { client, isCancelled } = createClient(1001)
    const call = client.pay.mutate({ amountMinor: 1 }).catch(toClientError)

    await vi.advanceTimersByTimeAsync(1000)

    expect(await call).toMatchObject({
      code: 'deadline_exceeded',
      message: 'pay was not answered within 1000 ms',
      hint: 'The call may have been carried out: repeat it with the same idempotency key.',
      mayBeDone: true,
    })
    expect(isCancelled()).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('that was never sent is told apart from one that may have been carried out', async () => {
    const { client } = createClient(1001, undefined, false)
    const call = client.pay.mutate({ amountMinor: 1 }).catch(toClientError)

    await vi.advanceTimersByTimeAsync(1000)

    expect(await call).toMatchObject({
      code: 'deadline_exceeded',
      message: 'pay was not sent within 1000 ms',
      hint: expect.stringContaining('was not carried out') as string,
      mayBeDone: false,
    })
  })

  test('that its caller gives up leaves no timer behind', async () => {
    const { client, isCancelled } = createClient(1001)
    const controller = new AbortController()
    const call = client.whoAmI
      .query(undefined, { signal: controller.signal })
      .catch((error: unknown) => error)

    controller.abort()

    expect(await call).toMatchObject({ message: 'given up' })
    expect(isCancelled()).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('that is a subscription lives as long as it likes', async () => {
    const { client, isCancelled } = createClient(1_000_000)
    const onError = vi.fn<(error: unknown) => void>()
    const subscription = client.count.subscribe(undefined, { onError })

    await vi.advanceTimersByTimeAsync(999_999)

    expect(onError).not.toHaveBeenCalled()
    expect(isCancelled()).toBe(false)
    subscription.unsubscribe()
    expect(isCancelled()).toBe(true)
  })
})
