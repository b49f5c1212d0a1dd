import { createServer, type RequestListener } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type LookupFunction } from 'node:net'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { createProofKey } from '../../../../test/support/test-proof.ts'
import { createJwksFetch } from './client-keys-fetch.ts'

const LOCAL_ISSUER = 'http://127.0.0.1:2884'
const PUBLIC_ISSUER = 'https://as.example'
const alice = await createProofKey()

/** Serves a client's keys on loopback. */
async function startClient(listener: RequestListener) {
  const paths: string[] = []
  const server = createServer((req, res) => {
    paths.push(req.url ?? '')
    listener(req, res)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${String(port)}/jwks`,
    paths,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function answerWith(body: unknown): RequestListener {
  return (_req, res) => res.end(typeof body === 'string' ? body : JSON.stringify(body))
}

/** A resolver that knows one answer, and counts. */
function createLookup(...addresses: string[]) {
  const asked: string[] = []
  const lookup: LookupFunction = (hostname, _options, callback) => {
    asked.push(hostname)
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }
  return { asked, lookup }
}

test('reads the public keys, and leaves out what is none', async () => {
  const key = { ...alice.publicJwk, kid: 'key-1', use: 'sig' }
  const keys = [key, alice.privateJwk, { kty: 'oct', k: 'AAAA' }, { kty: 'new' }, null]
  await using client = await startClient(answerWith({ keys }))

  const found = await createJwksFetch({ issuer: LOCAL_ISSUER })(client.url)

  expect(found).toEqual([key])
})

test('looks at 20 keys and no more', async () => {
  const keys = Array.from({ length: 25 }, () => alice.publicJwk)
  await using client = await startClient(answerWith({ keys }))

  expect(await createJwksFetch({ issuer: LOCAL_ISSUER })(client.url)).toHaveLength(20)
})

describe('refuses', () => {
  test('a redirect, without following it', async () => {
    // Attack: a public address that sends the request on to a private one.
    await using inner = await startClient(answerWith({ keys: [] }))
    await using client = await startClient((_req, res) =>
      res.writeHead(302, { location: inner.url }).end(),
    )

    const fetched = createJwksFetch({ issuer: LOCAL_ISSUER })(client.url)

    await expect(fetched).rejects.toMatchObject({ code: 'jwks_fetch_failed' })
    expect(inner.paths).toEqual([])
  })

  test('a document that is larger than the limit, by one byte', async () => {
    const body = JSON.stringify({ keys: [] })
    await using client = await startClient(answerWith(body))
    const fetchWithin = async (maxBytes: number) =>
      createJwksFetch({ issuer: LOCAL_ISSUER, maxBytes })(client.url)

    await expect(fetchWithin(body.length - 1)).rejects.toThrow('more than')
    expect(await fetchWithin(body.length)).toEqual([])
  })

  test('a document without end', async () => {
    // Attack: filling the memory of this server.
    await using client = await startClient((req, res) => {
      const write = (): void => {
        while (!req.destroyed && res.write('x'.repeat(16_384)));
      }
      res.on('drain', write)
      write()
    })

    const fetched = createJwksFetch({ issuer: LOCAL_ISSUER })(client.url)

    await expect(fetched).rejects.toThrow('more than 65536 bytes')
  })

  test.each([
    ['that never answers', () => undefined],
    ['that stops half way', (_req: unknown, res: { write(text: string): void }) => res.write('{')],
  ])('a server %s', async (_what, listener) => {
    await using client = await startClient(listener)

    const fetched = createJwksFetch({ issuer: LOCAL_ISSUER, timeoutMs: 50 })(client.url)

    await expect(fetched).rejects.toMatchObject({ code: 'jwks_fetch_failed' })
  })

  test.each(['', 'null', '[]', '{}', '{"keys":1}', 'not json', '\u0000'])(
    'the document %j',
    async (body) => {
      await using client = await startClient(answerWith(body))

      const fetched = createJwksFetch({ issuer: LOCAL_ISSUER })(client.url)

      await expect(fetched).rejects.toMatchObject({ code: 'jwks_fetch_failed' })
    },
  )

  test.each([
    ['plain http to another machine', 'http://keys.example/jwks'],
    ['plain http to this machine, for a public server', 'http://127.0.0.1:1/jwks'],
    ['plain http to this machine by its name', 'http://localhost:1/jwks'],
    ['an address of this machine', 'https://127.0.0.1:1/jwks'],
    ['that address in another form', 'https://2130706433:1/jwks'],
    ['the address of a cloud metadata service', 'https://169.254.169.254/jwks'],
    ['a private address', 'https://10.0.0.1/jwks'],
    ['an IPv6 address of this machine', 'https://[::1]:1/jwks'],
    ['an IPv4 address in IPv6', 'https://[::ffff:127.0.0.1]:1/jwks'],
    ['a URL with a password', 'https://user:secret@keys.example/jwks'],
    ['another scheme', 'file:///etc/passwd'],
    ['no URL', 'keys.example'],
  ])('%s', async (_what, uri) => {
    const { asked, lookup } = createLookup('1.1.1.1')

    const fetched = createJwksFetch({ issuer: PUBLIC_ISSUER, lookup })(uri)

    await expect(fetched).rejects.toMatchObject({ code: 'jwks_fetch_failed' })
    expect(asked).toEqual([])
  })

  test.each([
    ['a private address', ['10.0.0.1']],
    ['an address of this machine', ['127.0.0.1']],
    ['a private address among public ones', ['1.1.1.1', '::1']],
    ['no address', []],
  ])('a name that has %s', async (_what, addresses) => {
    const { asked, lookup } = createLookup(...addresses)

    const fetched = createJwksFetch({ issuer: PUBLIC_ISSUER, lookup })('https://keys.example/jwks')

    await expect(fetched).rejects.toThrow('not public')
    expect(asked).toEqual(['keys.example'])
  })
})

describe('a name that changes its address', () => {
  async function countConnections(allowPrivateAddresses: boolean): Promise<number> {
    let connections = 0
    const server = createTcpServer((socket) => {
      connections += 1
      socket.destroy()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { lookup } = createLookup('127.0.0.1')
    const fetchJwks = createJwksFetch({ issuer: PUBLIC_ISSUER, lookup, allowPrivateAddresses })
    await fetchJwks(`https://keys.example:${String(port)}/jwks`).catch(() => undefined)
    server.close()
    await once(server, 'close')
    return connections
  }

  test('leads to no connection to an address that was not judged', async () => {
    // Attack: DNS rebinding. What is connected to is what this one look-up answered.
    expect(await countConnections(false)).toBe(0)
  })

  test('may be private where the operator says so', async () => {
    expect(await countConnections(true)).toBe(1)
  })
})

test('never puts the query of the URL into what the operator reads', async () => {
  const fetched = createJwksFetch({ issuer: PUBLIC_ISSUER })('https://10.0.0.1/jwks?key=hunter2')

  await expect(fetched).rejects.toThrow(/^(?!.*hunter2)/)
})
