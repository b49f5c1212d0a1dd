// What is turned down before it is a call: by its size, its time, or since there are too many. The answer is in
// tRPC's form all the same, so that clients of an agent can read it.
import { CallRefusal } from '@deputy/auth/trpc'
import {
  getTRPCErrorShape,
  transformTRPCResponse,
  type AnyTRPCRouter,
  type TRPC_ERROR_CODE_KEY,
} from '@trpc/server'
import type { ServerResponse } from 'node:http'
import { STATUS_CODES } from '../node-http.ts'
import type { AgentLimits } from './agent-limits.ts'

/** Why a request is turned down before it is read. */
export type RequestRefusal =
  | 'bad_request'
  | 'headers_too_large'
  | 'payload_too_large'
  | 'request_timeout'
  | 'too_many_connections'
  | 'too_many_requests'
  | 'url_too_long'

type Answer = {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: string
}

export type RequestRefusals = {
  /** Answers a request with it, unless it was answered before. */
  send(res: ServerResponse, refusal: RequestRefusal): void
  /** The same for a connection on which no request was understood: the bytes of an HTTP/1.1 answer. */
  toBytes(refusal: RequestRefusal, options: { readonly isHead: boolean }): string
}

type Words = {
  readonly status: number
  /** What of tRPC's codes comes nearest. */
  readonly code: TRPC_ERROR_CODE_KEY
  readonly message: string
  readonly hint: string
  readonly retryAfterSeconds?: number
}

/** Creates the refusals of one agent. */
export function createRequestRefusals(router: AnyTRPCRouter, limits: AgentLimits): RequestRefusals {
  function toAnswer(reason: RequestRefusal): Answer {
    const { code, hint, message, retryAfterSeconds, status } = toWords(reason, limits)
    const config = router._def._config
    const error = new CallRefusal({ code, reason, message, hint })
    const nowhere = { type: 'unknown', path: undefined, input: undefined, ctx: undefined } as const
    const shape = getTRPCErrorShape({ config, error, ...nowhere })
    const told = { ...shape, data: { ...toObject(shape.data), httpStatus: status } }
    const body = JSON.stringify(transformTRPCResponse(config, { error: told }))
    return {
      status,
      body,
      headers: {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(body)),
        'cache-control': 'no-store',
        // What is left of the request is not read; with requests that wait behind it, a close would cut off answers.
        ...(reason === 'too_many_requests' ? {} : { connection: 'close' }),
        ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
      },
    }
  }

  return {
    send(res, refusal) {
      if (res.headersSent || res.destroyed) return
      const { body, headers, status } = toAnswer(refusal)
      res.writeHead(status, headers)
      res.end(body)
    },
    toBytes(refusal, { isHead }) {
      const { body, headers, status } = toAnswer(refusal)
      const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
      return `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}\r\n${fields.join('')}\r\n${isHead ? '' : body}`
    },
  }
}

function toWords(reason: RequestRefusal, limits: AgentLimits): Words {
  switch (reason) {
    case 'bad_request':
      return {
        status: 400,
        code: 'BAD_REQUEST',
        message: 'The request is no HTTP/1.1',
        hint: 'Check what wrote it: a length that does not fit, a field that is malformed, bytes of another protocol.',
      }
    case 'headers_too_large':
      return {
        status: 431,
        code: 'BAD_REQUEST',
        message: `URL and header fields are more than ${String(limits.maxHeaderBytes)} bytes, or more than ${String(limits.maxHeaderCount)} fields`,
        hint: 'Send fewer or smaller header fields.',
      }
    case 'payload_too_large':
      return {
        status: 413,
        code: 'PAYLOAD_TOO_LARGE',
        message: `The body is larger than ${String(limits.maxBodyBytes)} bytes`,
        hint: 'Send less at once.',
      }
    case 'request_timeout':
      return {
        status: 408,
        code: 'TIMEOUT',
        message: `The request did not arrive in time: header fields have ${String(limits.headersTimeoutMs)} ms, all of it ${String(limits.requestTimeoutMs)} ms`,
        hint: 'Send it again, on a connection that is faster.',
      }
    case 'too_many_connections':
      return {
        status: 503,
        code: 'SERVICE_UNAVAILABLE',
        message: 'The agent has as many connections as it takes',
        hint: 'Try again shortly.',
        retryAfterSeconds: 1,
      }
    case 'too_many_requests':
      return {
        status: 429,
        code: 'TOO_MANY_REQUESTS',
        message: `No more than ${String(limits.maxPipelinedRequests)} requests may wait on a connection`,
        hint: 'Wait for answers before you send more, or open another connection.',
        retryAfterSeconds: 1,
      }
    case 'url_too_long':
      return {
        status: 414,
        code: 'BAD_REQUEST',
        message: `The URL is longer than ${String(limits.maxUrlBytes)} bytes`,
        hint: 'Send queries with large inputs as POST, or fewer in one batch (maxURLLength of the link).',
      }
  }
}

function toObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {}
}
