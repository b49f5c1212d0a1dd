import {
  constants,
  createServer,
  type ServerHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2'
import { expect, test } from 'vitest'
import { listenOnLoopback } from '../process/listen-on-loopback.ts'
import { frameMessage } from './grpc-wire.ts'
import { runLoad } from './run-load.ts'

type Call = { readonly headers: IncomingHttpHeaders; readonly message: Buffer }

/** Node's own HTTP/2 server. */
async function startServer(answer: (stream: ServerHttp2Stream, call: Call) => void) {
  const server = createServer()
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => answer(stream, { headers, message: Buffer.concat(chunks) }))
  })
  return {
    port: await listenOnLoopback(server),
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const message = Buffer.from('\n\u0005Zoë!')
// Longer than the shortest form of a length holds, as tokens are.
const authorization = `Bearer ${'t'.repeat(700)}`
const load = {
  connections: 4,
  rampMs: 20,
  measureMs: 60,
  protocol: 'grpc',
  nextRequest: () => `/bench.Notes/Echo\n${authorization}\n${frameMessage(message)}`,
} as const

test('a unary call is answered again and again on its connection', async () => {
  const calls: Call[] = []
  await using server = await startServer((stream, call) => {
    calls.push(call)
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc' },
      { waitForTrailers: true },
    )
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.write(call.message.subarray(0, 3))
    stream.end(call.message.subarray(3))
  })

  const result = await runLoad({ ...load, port: server.port })

  expect(result.byStatus).toEqual({ 200: calls.length })
  expect(calls.length).toBeGreaterThan(load.connections)
  expect(result.last?.readBody()).toBe('\n\u0005Zoë!')
  expect(calls[0]?.headers).toMatchObject({
    ':method': 'POST',
    ':path': '/bench.Notes/Echo',
    'content-type': 'application/grpc',
    te: 'trailers',
    authorization,
  })
  expect(calls[0]?.message.subarray(0, 5)).toEqual(Buffer.of(0, 0, 0, 0, message.length))
})

test('a refusal, which has no message, is no answer', async () => {
  await using server = await startServer((stream) => {
    stream.respond({ ':status': 200, 'grpc-status': '16' }, { endStream: true })
  })

  const result = await runLoad({ ...load, port: server.port })

  expect(Object.keys(result.byStatus)).toEqual(['500'])
  expect(result.latenciesMs).toEqual([])
})

test('a server that ends a stream fails the run', async () => {
  await using server = await startServer((stream) => stream.close(constants.NGHTTP2_CANCEL))

  await expect(runLoad({ ...load, port: server.port })).rejects.toThrow('ended a stream')
})
