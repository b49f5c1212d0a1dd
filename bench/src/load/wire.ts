import type { Answer } from './answer-reader.ts'

/** What is spoken on one connection, on which one request at a time is under way. */
export type Wire = {
  /** Sends a request: latin1 text, of the form that the protocol wants. */
  send(request: string): void
  /** Takes what arrived. Answers the whole answer once its last byte is there. */
  read(chunk: Buffer): Answer | undefined
}

/** `http`: HTTP/1.1, the request as it stands. `grpc`: gRPC over HTTP/2 without TLS, see `openGrpcWire`. */
export type WireProtocol = 'http' | 'grpc'
