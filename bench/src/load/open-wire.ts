import type { Socket } from 'node:net'
import { createAnswerReader } from './answer-reader.ts'
import { openGrpcWire } from './grpc-wire.ts'
import type { Wire, WireProtocol } from './wire.ts'

/** Begins on a socket, which may still be connecting. */
export function openWire(protocol: WireProtocol, socket: Socket): Wire {
  if (protocol === 'grpc') return openGrpcWire(socket)
  const reader = createAnswerReader()
  return {
    send: (request) => void socket.write(request, 'latin1'),
    read: (chunk) => reader.read(chunk),
  }
}
