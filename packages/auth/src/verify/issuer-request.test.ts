// Over real HTTP, and the same for every adapter.
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { createFetchRequests } from './issuer-request-fetch.ts'
import { sendWithNode } from './issuer-request-node.ts'
import { readDocument, type IssuerRequest } from './issuer-request.ts'

async function startServer(listener: RequestListener) {
  const requests: IncomingMessage[] = []
  const server = createServer((req, res) => {
    requests.push(req)
    listener(req, res)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  return {
    url: `http://127.0.0.1:${String(port)}`,
    port,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const request = (members: Partial<IssuerRequest> = {}): IssuerRequest => ({
  headers: { accept: 'application/json' },
  signal: new AbortController().signal,
  ...members,
})

describe.each([
  ['Node’s client', sendWithNode],
  ['fetch', createFetchRequests(fetch)],
])('a request to the issuer, by %s,', (_name, send) => {
  test('asks with the headers that are given, and answers a document', async () => {
    await using server = await startServer((_req, res) => res.end('{"name":"Zoë"}'))

    const document = await readDocument(await send(`${server.url}/a?b=c`, request()), 'it')

    expect(document).toEqual({ name: 'Zoë' })
    expect(server.requests).toMatchObject([
      { method: 'GET', url: '/a?b=c', headers: { accept: 'application/json' } },
    ])
  })

  test('posts a form', async () => {
    await using server = await startServer((req, res) => {
      void text(req).then((sent) => res.end(JSON.stringify({ sent })))
    })

    const answer = await send(server.url, request({ form: { token: 'a&b=é' } }))

    expect(await readDocument(answer, 'it')).toEqual({ sent: 'token=a%26b%3D%C3%A9' })
    expect(server.requests).toMatchObject([
      {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' },
      },
    ])
  })

  test.each([301, 302, 303, 307, 308])('follows no redirect (%i)', async (status) => {
    await using other = await startServer((_req, res) => res.end('{}'))
    await using server = await startServer((_req, res) =>
      res.writeHead(status, { location: other.url }).end(),
    )

    await expect(send(server.url, request())).rejects.toThrow(/redirect|fetch failed/)

    expect(other.requests).toEqual([])
  })

  test.each([204, 304, 404, 503])('answers %i, which is no document', async (status) => {
    await using server = await startServer((_req, res) => res.writeHead(status).end())

    const answer = await send(server.url, request())

    expect(answer.status).toBe(status)
    await expect(readDocument(answer, 'the list')).rejects.toThrow(
      status === 204 ? 'JSON' : `the list answered ${String(status)}`,
    )
  })

  test('takes a character that comes in two chunks for one', async () => {
    const [first, second] = [Buffer.from('"Zo\xc3', 'latin1'), Buffer.from('\xab"', 'latin1')]
    await using server = await startServer((_req, res) => {
      res.write(first, () => setImmediate(() => res.end(second)))
    })

    expect(await readDocument(await send(server.url, request()), 'it')).toBe('Zoë')
  })

  test('reads no document without an end', async () => {
    await using server = await startServer((_req, res) => {
      const more = (): void => void res.write(' '.repeat(64 * 1024), more)
      more()
      res.on('error', () => undefined)
    })

    const answer = await send(server.url, request())

    await expect(readDocument(answer, 'it')).rejects.toThrow('it answered more than 1 MiB')
  })

  test('says whom it could not reach', async () => {
    const server = await startServer(() => undefined)
    await server[Symbol.asyncDispose]()

    const failed = await send(server.url, request()).catch((error: unknown) => error)

    expect(failed).toMatchObject({ cause: { code: 'ECONNREFUSED' } })
  })

  test('ends with the reason of its signal: before it is sent, before the head and within the body', async () => {
    const reason = new Error('given up')
    let gone = 0
    await using server = await startServer((req, res) => {
      res.on('close', () => (gone += 1))
      if (req.url === '/head') abort.abort(reason)
      else res.write('{')
    })
    let abort = new AbortController()
    const read = async (path: string): Promise<unknown> =>
      readDocument(await send(server.url + path, request({ signal: abort.signal })), 'it')

    await expect(read('/head')).rejects.toBe(reason)
    await expect(read('/before')).rejects.toBe(reason)
    abort = new AbortController()
    const answer = await send(`${server.url}/body`, request({ signal: abort.signal }))
    const reading = readDocument(answer, 'it')
    abort.abort(reason)
    await expect(reading).rejects.toBe(reason)

    await expect.poll(() => gone).toBe(2)
    expect(server.requests.map(({ url }) => url)).toEqual(['/head', '/body'])
  })

  test('ends the connection of a body that is not read to its end', async () => {
    let gone = 0
    await using server = await startServer((_req, res) => {
      res.on('close', () => (gone += 1))
      res.write('first')
    })

    for await (const chunk of (await send(server.url, request())).body) {
      expect(Buffer.from(chunk).toString()).toBe('first')
      break
    }
    await (await send(server.url, request())).discard()

    await expect.poll(() => gone).toBe(2)
  })

  test('rejects when the body breaks off', async () => {
    await using server = await startServer((_req, res) => {
      res.write('{', () => res.destroy())
    })

    const answer = await send(server.url, request())

    await expect(readDocument(answer, 'it')).rejects.toThrow(/aborted|terminated/)
  })

  test('speaks TLS where the URL says so, never plain text', async () => {
    await using server = await startServer((_req, res) => res.end('{}'))

    const sending = send(`https://127.0.0.1:${String(server.port)}`, request())

    await expect(sending).rejects.toThrow(/SSL|fetch failed/)
    expect(server.requests).toEqual([])
  })
})

describe('a connection that is kept', () => {
  test('and was closed meanwhile is replaced', async () => {
    const seen = new WeakMap<object, number>()
    let dies = 2
    await using server = await startServer((req, res) => {
      const count = (seen.get(req.socket) ?? 0) + 1
      seen.set(req.socket, count)
      if (count >= dies) req.socket.destroy()
      else res.end('{}')
    })
    const ask = async (): Promise<unknown> =>
      readDocument(await sendWithNode(server.url, request()), 'it')

    expect(await ask()).toEqual({})
    // As late as a real caller: the connection is back.
    await new Promise((resolve) => setImmediate(resolve))
    expect(await ask()).toEqual({})
    expect(server.requests).toHaveLength(3)
    dies = 1

    await expect(ask()).rejects.toThrow('socket hang up')
  })
})
