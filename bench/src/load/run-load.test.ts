import { createServer, type RequestListener } from 'node:http'
import { expect, test } from 'vitest'
import { listenOnLoopback } from '../process/listen-on-loopback.ts'
import { runLoad } from './run-load.ts'

async function startServer(listener: RequestListener) {
  const server = createServer(listener)
  return {
    port: await listenOnLoopback(server),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const nextRequest = (): string => 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'
const short = { connections: 4, rampMs: 20, measureMs: 60, nextRequest }

test('every request is answered and counted, on as many connections as were asked for', async () => {
  let asked = 0
  let underWay = 0
  let most = 0
  await using server = await startServer((_req, res) => {
    asked += 1
    underWay += 1
    most = Math.max(most, underWay)
    setImmediate(() => {
      underWay -= 1
      res.setHeader('content-length', 2).end('ok')
    })
  })

  const result = await runLoad({ ...short, port: server.port })

  expect(result.byStatus).toEqual({ 200: asked })
  expect(result.latenciesMs.length).toBeGreaterThan(0)
  expect(result.latenciesMs.length).toBeLessThan(asked)
  expect(result.elapsedMs).toBeGreaterThanOrEqual(59)
  expect(result.last?.readBody()).toBe('ok')
  expect(most).toBeLessThanOrEqual(4)
})

test('a refusal is counted under its status, and never as an answer', async () => {
  await using server = await startServer((_req, res) => {
    res.writeHead(429, { 'content-length': 0 }).end()
  })

  const result = await runLoad({ ...short, port: server.port })

  expect(Object.keys(result.byStatus)).toEqual(['429'])
  expect(result.latenciesMs).toEqual([])
  expect(result.last).toBeUndefined()
})

test('a server that hangs up fails the run', async () => {
  await using server = await startServer((req) => req.socket.end())

  await expect(runLoad({ ...short, port: server.port })).rejects.toThrow('closed a connection')
})

test('an answer that cannot be read fails the run', async () => {
  await using server = await startServer((_req, res) => {
    res.socket?.write('HTTP/1.1 200 OK\r\n\r\nno length')
  })

  await expect(runLoad({ ...short, port: server.port })).rejects.toThrow('Content-Length')
})
