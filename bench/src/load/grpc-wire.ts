// The least of HTTP/2 (RFC 9113) and HPACK (RFC 7541) that calls a unary gRPC method again and again on one
// connection: `node:http2` as a client takes more of the processor than some of the servers that are measured.
import type { Socket } from 'node:net'
import type { Answer } from './answer-reader.ts'
import type { Wire } from './wire.ts'

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')
const FRAME_HEAD_BYTES = 9
/** RFC 9113 §6. */
const DATA = 0
const HEADERS = 1
const RST_STREAM = 3
const SETTINGS = 4
const PING = 6
const GOAWAY = 7
const WINDOW_UPDATE = 8
const END_STREAM = 0x1
const ACK = 0x1
const END_HEADERS = 0x4
const PADDED = 0x8
/** What is the same in every call. Those that HTTP/2 itself has come before all others (RFC 9113 §8.3). */
const PSEUDO_FIELDS = Buffer.concat([
  toField(':method', 'POST'),
  toField(':scheme', 'http'),
  toField(':authority', '127.0.0.1'),
])
const FIELDS = Buffer.concat([
  toField('content-type', 'application/grpc'),
  toField('te', 'trailers'),
])
/** As much as a window may have (RFC 9113 §6.9.1), less what it has from the beginning. */
const WHOLE_WINDOW = 0x7fffffff - 65_535

/**
 * Begins a connection. A request is its path, its `authorization` and its message, with a line feed between them; the
 * message is what `frameMessage` made. An answer with a message has status 200, one without, as gRPC refuses, 500.
 * `read` throws when the server ends the connection or the stream.
 */
export function openGrpcWire(socket: Socket): Wire {
  let streamId = -1
  let pending: Buffer | undefined
  let message: Buffer | undefined
  socket.write(
    Buffer.concat([
      PREFACE,
      frame({ type: SETTINGS, flags: 0, streamId: 0 }, Buffer.alloc(0)),
      frame({ type: WINDOW_UPDATE, flags: 0, streamId: 0 }, toUint32(WHOLE_WINDOW)),
    ]),
  )

  /** Takes one frame. Answers when it was the last of the answer. */
  function take(type: number, flags: number, payload: Buffer): Answer | undefined {
    if (type === SETTINGS && (flags & ACK) === 0) {
      socket.write(frame({ type: SETTINGS, flags: ACK, streamId: 0 }, Buffer.alloc(0)))
    } else if (type === PING && (flags & ACK) === 0) {
      socket.write(frame({ type: PING, flags: ACK, streamId: 0 }, payload))
    } else if (type === RST_STREAM || type === GOAWAY) {
      throw new Error('the server ended a stream or the connection under load')
    }
    if (type === DATA && payload.length > 0) {
      if ((flags & PADDED) !== 0) throw new TypeError('a padded frame')
      message = message === undefined ? payload : Buffer.concat([message, payload])
    }
    if ((type !== DATA && type !== HEADERS) || (flags & END_STREAM) === 0) return undefined
    const body = message?.toString('utf8', 5) ?? ''
    const status = message === undefined ? 500 : 200
    message = undefined
    return { status, readBody: () => body }
  }

  return {
    send(request) {
      streamId += 2
      const pathEnd = request.indexOf('\n')
      const authorizationEnd = request.indexOf('\n', pathEnd + 1)
      const body = Buffer.from(request.slice(authorizationEnd + 1), 'latin1')
      const head = Buffer.concat([
        PSEUDO_FIELDS,
        toField(':path', request.slice(0, pathEnd)),
        FIELDS,
        toField('authorization', request.slice(pathEnd + 1, authorizationEnd)),
      ])
      socket.write(
        Buffer.concat([
          frame({ type: HEADERS, flags: END_HEADERS, streamId }, head),
          frame({ type: DATA, flags: END_STREAM, streamId }, body),
        ]),
      )
    },
    read(chunk) {
      let bytes = pending === undefined ? chunk : Buffer.concat([pending, chunk])
      let answer: Answer | undefined
      while (bytes.length >= FRAME_HEAD_BYTES) {
        const end = FRAME_HEAD_BYTES + bytes.readUIntBE(0, 3)
        if (bytes.length < end) break
        const payload = bytes.subarray(FRAME_HEAD_BYTES, end)
        answer = take(bytes[3] ?? 0, bytes[4] ?? 0, payload) ?? answer
        bytes = bytes.subarray(end)
      }
      pending = bytes.length === 0 ? undefined : bytes
      return answer
    },
  }
}

/** A message as gRPC frames it: not compressed, its length, the bytes. As latin1 text. */
export function frameMessage(message: Uint8Array): string {
  return Buffer.concat([Buffer.of(0), toUint32(message.length), message]).toString('latin1')
}

type FrameHead = { readonly type: number; readonly flags: number; readonly streamId: number }

function frame({ flags, streamId, type }: FrameHead, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(streamId, 5)
  return Buffer.concat([head, payload])
}

function toUint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** An integer with a prefix of seven bits (RFC 7541 §5.1); the eighth says that the text is not compressed. */
function toLength(length: number): Buffer {
  if (length < 127) return Buffer.of(length)
  const bytes = [127]
  let rest = length - 127
  for (; rest >= 128; rest >>= 7) bytes.push((rest & 127) | 128)
  return Buffer.of(...bytes, rest)
}

/** A literal that nobody need remember (RFC 7541 §6.2.2). */
function toField(name: string, value: string): Buffer {
  return Buffer.concat([
    Buffer.of(0),
    toLength(name.length),
    Buffer.from(name, 'latin1'),
    toLength(value.length),
    Buffer.from(value, 'latin1'),
  ])
}
