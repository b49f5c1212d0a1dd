import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createAnswerReader } from './answer-reader.ts'

const body = '{"name":"Zoë"}'
const whole = Buffer.from(
  `HTTP/1.1 201 Created\r\nX-A: 1\r\nContent-Length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`,
)

// A chunk that ends in the middle of a character, and one that looks like the end.
const inChunks = Buffer.concat([
  Buffer.from('HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n'),
  Buffer.from(body).subarray(0, 12),
  Buffer.from('\r\n3\r\n'),
  Buffer.from(body).subarray(12),
  Buffer.from('\r\n6\r\n 0\r\n\r\n\r\n0\r\n\r\n'),
])

test.each([
  ['with a length', whole, body],
  ['in chunks', inChunks, `${body} 0\r\n\r\n`],
])('an answer %s is read however it was cut', (_, sent, expected) => {
  fc.assert(
    fc.property(fc.array(fc.nat(sent.length), { maxLength: 5 }), (cuts) => {
      const reader = createAnswerReader()
      const edges = [0, ...cuts.toSorted((a, b) => a - b), sent.length]
      const chunks = edges.slice(1).map((edge, index) => sent.subarray(edges[index], edge))

      const answers = chunks.map((chunk) => reader.read(chunk)).filter((a) => a !== undefined)

      expect(answers.map((answer) => [answer.status, answer.readBody()])).toContainEqual([
        201,
        expected,
      ])
    }),
  )
})

test('one connection reads answer after answer', () => {
  const reader = createAnswerReader()
  const empty = Buffer.from('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n')

  expect(reader.read(whole)?.status).toBe(201)
  expect(reader.read(empty)?.status).toBe(401)
  expect(reader.read(whole)?.readBody()).toBe(body)
})

test('an answer whose end cannot be told, or that nobody asked for, is a fault', () => {
  const endless = Buffer.from('HTTP/1.1 200 OK\r\n\r\n')

  expect(() => createAnswerReader().read(endless)).toThrow('without Content-Length')
  expect(() => createAnswerReader().read(Buffer.concat([whole, whole]))).toThrow('more came')
})
