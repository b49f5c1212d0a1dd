import { initTRPC } from '@trpc/server'
import { createServer, request } from 'node:http'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { listen } from '../listen.ts'
import { createPlainCallHandler } from './plain-call-handler.ts'

const t = initTRPC.create()

/** A server whose one procedure waits until its caller is gone. */
async function startServer() {
  const entered = Promise.withResolvers<void>()
  const aborted = Promise.withResolvers<void>()
  const failures: string[] = []
  const router = t.router({
    wait: t.procedure.mutation(async ({ signal }) => {
      signal?.addEventListener('abort', () => {
        aborted.resolve()
      })
      entered.resolve()
      await aborted.promise
    }),
    save: t.procedure.input(z.object({ text: z.string() })).mutation(({ input }) => input.text),
  })
  const server = createServer(
    createPlainCallHandler({
      router,
      basePath: '/trpc/',
      onError({ error }) {
        failures.push(error.code)
        aborted.resolve()
      },
    }),
  )
  const { port } = await listen(server, { port: 0 })
  return {
    failures,
    entered: entered.promise,
    aborted: aborted.promise,
    post: (path: string, headers: Record<string, string> = {}) => {
      const req = request({
        port,
        method: 'POST',
        path: `/trpc/${path}`,
        headers: { 'content-type': 'application/json', ...headers },
      })
      req.on('error', () => undefined)
      return req
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

test('a caller who goes away cancels its call', async () => {
  await using server = await startServer()
  const req = server.post('wait')
  req.end()
  await server.entered

  req.destroy()

  await expect(server.aborted).resolves.toBeUndefined()
})

test('a caller who goes away in the middle of its body is not waited for', async () => {
  await using server = await startServer()
  const req = server.post('save', { 'content-length': '100' })
  req.write('{"text":')
  await once(req, 'socket')
  await new Promise((resolve) => {
    req.write('"', resolve)
  })

  req.destroy()

  await server.aborted
  expect(server.failures).toEqual(['CLIENT_CLOSED_REQUEST'])
})

test('a caller who was answered cancels nothing', async () => {
  await using server = await startServer()
  const req = server.post('save')
  req.end('{"text":"kept"}')

  const [res] = await once(req, 'response')
  res.resume()
  await once(res, 'close')

  expect([res.statusCode, server.failures]).toEqual([200, []])
})
