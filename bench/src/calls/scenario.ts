// What every server is asked for: one query with a small input, that answers with what it was given.
import { frameMessage } from '../load/grpc-wire.ts'
import type { LoadPlan } from '../load/load-plan.ts'

export const AGENT_ID = 'agent-notes'
export const ISSUER = 'https://issuer.example'
export const TEXT = 'a small input'
export const BATCH_SIZE = 10

/** How an authenticated caller sends its token: the token itself comes from the file of lines. */
export const AUTHORIZATION = 'Authorization: Bearer '
/** How it sends an API key. */
export const API_KEY = 'X-API-Key: '

export type RequestForm = {
  readonly method: 'GET' | 'POST'
  readonly target: string
  readonly headers?: readonly string[]
  readonly body?: object
}

/** The request around the line that differs from one to the next, which is the last header field. */
export function toPlan(
  port: number,
  form: RequestForm,
  lineHeader: string,
): Pick<LoadPlan, 'head' | 'tail'> {
  const body = form.body === undefined ? '' : JSON.stringify(form.body)
  const fields = [
    `${form.method} ${form.target} HTTP/1.1`,
    `Host: 127.0.0.1:${String(port)}`,
    ...(form.headers ?? []),
    ...(form.body === undefined
      ? []
      : ['Content-Type: application/json', `Content-Length: ${String(Buffer.byteLength(body))}`]),
    lineHeader,
  ]
  return { head: fields.join('\r\n'), tail: `\r\n\r\n${body}` }
}

/** The same query in gRPC, its one field in protobuf. Nobody asks for the token there, but it is sent as elsewhere. */
export function toGrpcPlan(path: string): Pick<LoadPlan, 'head' | 'tail' | 'protocol'> {
  const text = Buffer.from(TEXT)
  const note = Buffer.concat([Buffer.of(0x0a, text.length), text])
  return { head: `${path}\nBearer `, tail: `\n${frameMessage(note)}`, protocol: 'grpc' }
}

/** Input of a query in tRPC's wire format. */
const input = (value: unknown): string => `input=${encodeURIComponent(JSON.stringify(value))}`
const inputs = Object.fromEntries(Array.from({ length: BATCH_SIZE }, (_, i) => [i, { text: TEXT }]))

export const TRPC_QUERY: RequestForm = {
  method: 'GET',
  target: `/trpc/echo?${input({ text: TEXT })}`,
}
export const TRPC_BATCH: RequestForm = {
  method: 'GET',
  target: `/trpc/${Array<string>(BATCH_SIZE).fill('echo').join(',')}?batch=1&${input(inputs)}`,
}
