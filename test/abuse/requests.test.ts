// Requests that are too much, or that are none.
import { describe, expect, test } from 'vitest'
import { bearer } from '../support/call-trpc.ts'
import { expectHarmless } from './attack.ts'
import { openRaw, readBody, toRequest } from './raw-http.ts'

const JSON_BODY = { 'content-type': 'application/json' }
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

/** An answer as tRPC has it, with this status and reason. */
function expectRefusal(answer: string, status: number, reason: string): void {
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${String(status)} `))
  expect(readBody(answer)).toMatchObject({
    error: {
      message: expect.any(String) as string,
      data: { httpStatus: status, reason, hint: expect.any(String) as string },
    },
  })
}

describe('a body', () => {
  test('that is larger than allowed, and says so, gets 413 and is not read on', async () => {
    await expectHarmless({ maxBodyBytes: 10_000 }, async ({ port, token }) => {
      const headers = { ...bearer(await token()), ...JSON_BODY, 'content-length': '1000000000' }
      await using mallory = await openRaw(
        port,
        toRequest('/trpc/echo', headers, { method: 'POST' }),
      )

      const answer = await mallory.until('}}}')
      for (let at = 0; at < 50 && mallory.socket.writable; at += 1) {
        mallory.write('x'.repeat(100_000))
      }
      await mallory.closed

      expectRefusal(answer, 413, 'payload_too_large')
    })
  })

  test('that never ends gets 413 and is cut', async () => {
    await expectHarmless({ maxBodyBytes: 10_000 }, async ({ port, token }) => {
      const headers = { ...bearer(await token()), ...JSON_BODY, 'transfer-encoding': 'chunked' }
      await using mallory = await openRaw(
        port,
        toRequest('/trpc/echo', headers, { method: 'POST' }),
      )
      const chunk = `ffff\r\n${'x'.repeat(0xffff)}\r\n`

      for (let at = 0; at < 50 && mallory.socket.writable; at += 1) mallory.write(chunk)

      expectRefusal(await mallory.closed, 413, 'payload_too_large')
    })
  })

  test('that is larger than allowed is not asked for', async () => {
    await expectHarmless({ maxBodyBytes: 10_000 }, async ({ port, token }) => {
      const headers = { ...bearer(await token()), ...JSON_BODY, 'content-length': '10001' }
      await using mallory = await openRaw(
        port,
        toRequest('/trpc/echo', { ...headers, expect: '100-continue' }, { method: 'POST' }),
      )

      const answer = await mallory.closed

      expectRefusal(answer, 413, 'payload_too_large')
      expect(answer).not.toContain(' 100 ')
    })
  })

  test('that is asked for first is answered as any other', async () => {
    await expectHarmless({ maxBodyBytes: 10_000 }, async ({ port, token }) => {
      const body = '{"text":"asked for"}'
      const length = { 'content-length': String(body.length) }
      const headers = { ...bearer(await token()), ...JSON_BODY, ...length, expect: '100-continue' }
      await using alice = await openRaw(port, toRequest('/trpc/echo', headers, { method: 'POST' }))

      await alice.until('HTTP/1.1 100 Continue')
      alice.write(body)

      expect(await alice.until('"asked for"')).toContain('HTTP/1.1 200 ')
    })
  })

  test.each([
    ['a plain call', 'echo', {}],
    ['an answer in parts', 'echo?batch=1', { 'trpc-accept': 'application/jsonl' }],
  ])('of JSON that is nested too deeply gets 400: %s', async (_what, path, more) => {
    await expectHarmless({}, async ({ port, token }) => {
      const body = `{"0":{"text":${nested(100_000)}}}`
      const length = { 'content-length': String(body.length) }
      const headers = { ...bearer(await token()), ...JSON_BODY, ...more, ...length }
      await using mallory = await openRaw(
        port,
        toRequest(`/trpc/${path}`, headers, { method: 'POST', body }),
      )

      expectRefusal(await mallory.until('}}}'), 400, 'parse_error')
    })
  })

  test.each([
    ['an input', 'echo?input=', {}],
    ['the input of a stream', 'ticks?input=', { accept: 'text/event-stream' }],
    ['connection parameters', 'ticks?connectionParams=', { accept: 'text/event-stream' }],
  ])('is no way around for %s in a URL', async (_what, path, more) => {
    await expectHarmless({}, async ({ port, token }) => {
      const headers = { ...bearer(await token()), ...more }
      await using mallory = await openRaw(port, toRequest(`/trpc/${path}${nested(1000)}`, headers))

      expectRefusal(await mallory.until('}}}'), 400, 'parse_error')
    })
  })
})

describe('a URL', () => {
  test.each([
    ['of 9,000 bytes', '/trpc/echo?input=', 9000],
    ['larger than all header fields may be', '/trpc/echo?input=', 40_000],
    ['that leads nowhere', '/nowhere?', 9000],
  ])('%s gets 414', async (_what, begin, length) => {
    await expectHarmless({}, async ({ port }) => {
      await using mallory = await openRaw(port, toRequest(begin + 'x'.repeat(length)))

      expectRefusal(await mallory.closed, 414, 'url_too_long')
    })
  })

  test('of a batch that is too large gets 400, and nothing is carried out', async () => {
    await expectHarmless({}, async ({ log, port, token }) => {
      const calls = (): number =>
        log().filter(({ msg, path }) => msg === 'call' && path === 'whoAmI').length
      const path = `/trpc/${Array.from({ length: 101 }, () => 'whoAmI').join(',')}?batch=1`
      await using mallory = await openRaw(port, toRequest(path, bearer(await token())))

      expectRefusal(await mallory.until('}}}'), 400, 'bad_request')
      expect(calls()).toBe(0)
    })
  })
})

describe('header fields', () => {
  test.each([
    ['one of 20,000 bytes', { x: 'x'.repeat(20_000) }],
    ['one of 1 MB', { x: 'x'.repeat(1_000_000) }],
    [
      'a hundred and one',
      Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`x-${String(at)}`, '1'])),
    ],
    [
      'two thousand',
      Object.fromEntries(Array.from({ length: 2000 }, (_, at) => [`x-${String(at)}`, '1'])),
    ],
  ])('that are too much get 431: %s', async (_what, headers) => {
    await expectHarmless({}, async ({ port }) => {
      await using mallory = await openRaw(port, toRequest('/trpc/whoAmI', headers))

      expectRefusal(await mallory.closed, 431, 'headers_too_large')
    })
  })
})

describe('what is no request', () => {
  const post = (headers: Record<string, string>, body = ''): string =>
    toRequest('/trpc/echo', { ...JSON_BODY, ...headers }, { method: 'POST', body })

  test.each([
    ['bytes of TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003'],
    ['a method that is none', 'FROG / HTTP/1.1\r\nhost: x\r\n\r\n'],
    ['another protocol', 'GET / SPDY/9\r\nhost: x\r\n\r\n'],
    ['a field without a name', 'GET /trpc/echo HTTP/1.1\r\nhost: x\r\n: nothing\r\n\r\n'],
    ['a field with a line break', 'GET /trpc/echo HTTP/1.1\r\nhost: x\r\nx: a\nb\r\n\r\n'],
    ['a length below 0', post({ 'content-length': '-1' })],
    ['a length with a sign', post({ 'content-length': '+5' }, '"abc"')],
    ['a length as a power', post({ 'content-length': '1e3' })],
    ['a length in hexadecimal', post({ 'content-length': '0x10' })],
    ['a length that no number holds', post({ 'content-length': '99999999999999999999999' })],
    [
      'two lengths',
      'POST /trpc/echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n"abc"',
    ],
    // Attack: request smuggling, where a proxy in front goes by the other one.
    [
      'a length and chunks',
      post({ 'content-length': '5', 'transfer-encoding': 'chunked' }, '0\r\n\r\n'),
    ],
    ['an encoding that is not known', post({ 'transfer-encoding': 'chunked, frog' }, '0\r\n\r\n')],
    ['a chunk of no size', post({ 'transfer-encoding': 'chunked' }, 'xyz\r\n')],
    [
      'a chunk of a size that no number holds',
      post({ 'transfer-encoding': 'chunked' }, `${'f'.repeat(17)}\r\n`),
    ],
    [
      'a chunk longer than it says',
      post({ 'transfer-encoding': 'chunked' }, '1\r\nabc\r\n0\r\n\r\n'),
    ],
  ])('gets 400 and is cut: %s', async (_what, bytes) => {
    await expectHarmless({}, async ({ port }) => {
      await using mallory = await openRaw(port, bytes)

      const answers = await mallory.closed

      // A call that did not need its body may be answered before that is found to be none. Then nothing comes after.
      expect(answers.match(/HTTP\/1\.1 /g)).toHaveLength(1)
      if (!answers.includes('credentials_missing')) expectRefusal(answers, 400, 'bad_request')
    })
  })

  test('behind a HEAD gets 400 without a body, which the caller would take for another answer', async () => {
    await expectHarmless({}, async ({ port, token }) => {
      const head = toRequest('/trpc/whoAmI', bearer(await token()), { method: 'HEAD' })
      await using mallory = await openRaw(port, `${head}\0`)

      expect(await mallory.closed).toMatch(/^HTTP\/1\.1 400 [\s\S]*\r\n\r\n$/)
    })
  })

  test('for the header alone gets 431 without a body, when it is too large', async () => {
    await expectHarmless({}, async ({ port }) => {
      const head = toRequest('/trpc/whoAmI', { 'x-large': 'x'.repeat(20_000) }, { method: 'HEAD' })
      await using mallory = await openRaw(port, head)

      expect(await mallory.closed).toMatch(/^HTTP\/1\.1 431 [\s\S]*\r\n\r\n$/)
    })
  })

  test('gets 413 for chunks that carry more of extensions than of anything else', async () => {
    await expectHarmless({}, async ({ port }) => {
      const chunk = `1;${'x'.repeat(20_000)}\r\nx\r\n`
      await using mallory = await openRaw(port, post({ 'transfer-encoding': 'chunked' }, chunk))

      expectRefusal(await mallory.closed, 413, 'payload_too_large')
    })
  })

  test('behind a good request spoils that one’s answer only where it has not begun', async () => {
    await expectHarmless({}, async ({ port, ticker, token }) => {
      const headers = { ...bearer(await token()), accept: 'text/event-stream' }
      await using mallory = await openRaw(port, toRequest('/trpc/ticks', headers))
      ticker.tickTo(1)
      await mallory.until('id: 1')

      mallory.write('FROG')

      expect(await mallory.closed).not.toContain('HTTP/1.1 400')
    })
  })
})
