import { metrics } from '@opentelemetry/api'
import { expect, test } from 'vitest'
import { ListenError } from '../listen.ts'
import { serveMetrics } from './index.ts'

test('what is measured is read in the text format of Prometheus, and nothing else is there', async () => {
  await using served = await serveMetrics({ port: 0 })
  metrics.getMeter('test').createCounter('apples', { unit: '{apple}' }).add(3, { colour: 'red' })

  const read = await fetch(served.url)
  const text = await read.text()
  const elsewhere = await fetch(new URL('/trpc/research.jobs', served.url))
  const posted = await fetch(served.url, { method: 'POST' })

  expect(read.headers.get('content-type')).toContain('text/plain')
  expect(text).toMatch(/^apples_total\{colour="red"[^}]*\} 3/m)
  expect([elsewhere.status, posted.status]).toEqual([404, 405])
})

test('a second one in the process, and a port that is taken, are refused, and nothing stays open', async () => {
  await using served = await serveMetrics({ port: 0 })

  await expect(serveMetrics({ port: 0 })).rejects.toThrow('this process has metrics already')
  await expect(serveMetrics({ port: Number(new URL(served.url).port) })).rejects.toThrow(
    ListenError,
  )
  await served.close()
  await using again = await serveMetrics({ port: 0 })

  expect(again.url).toContain('127.0.0.1')
})
