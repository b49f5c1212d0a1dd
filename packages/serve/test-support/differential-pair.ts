// One router behind tRPC's own adapter and behind the handler for plain calls, asked the same.
import type { AnyTRPCRouter, TRPCError } from '@trpc/server'
import { createHTTPHandler, type CreateHTTPHandlerOptions } from '@trpc/server/adapters/standalone'
import { once } from 'node:events'
import { createServer, request, type RequestListener, type Server } from 'node:http'
import { createPlainCallHandler } from '../src/plain-calls/plain-call-handler.ts'

export type SentRequest = {
  readonly method: string
  /** From the first slash on, as it goes over the wire. */
  readonly target: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

export type PairOptions = Partial<CreateHTTPHandlerOptions<AnyTRPCRouter>> & {
  readonly router: AnyTRPCRouter
}

/** What came back, and what the server's side was told meanwhile. */
export type Observed = {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
  /** `onError`, call by call. */
  readonly errors: readonly unknown[]
  /** `responseMeta`, with what it was given. */
  readonly metas: readonly unknown[]
}

export type Answers = {
  readonly stock: Observed
  readonly plain: Observed
  /** Whether the handler for plain calls answered by itself. */
  readonly isPlain: boolean
}

/** Header fields of the transfer: how the bytes travel, not what they say. */
const OF_TRANSFER = new Set([
  'date',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
])

/** Starts both. */
export async function startPair(options: PairOptions) {
  const stock = await startOne(options, createHTTPHandler)
  const plain = await startOne(options, createPlainCallHandler)
  return {
    async ask(sent: SentRequest): Promise<Answers> {
      const [one, other] = [await stock.ask(sent), await plain.ask(sent)]
      return { stock: one.seen, plain: other.seen, isPlain: other.hasLength }
    },
    /** Where the handler for plain calls listens. */
    port: plain.port,
    [Symbol.asyncDispose]: async () => {
      await stock.close()
      await plain.close()
    },
  }
}
export type Pair = Awaited<ReturnType<typeof startPair>>

type CreateHandler = (
  options: CreateHTTPHandlerOptions<AnyTRPCRouter> & { readonly basePath: string },
) => RequestListener

async function startOne(options: PairOptions, create: CreateHandler) {
  const errors: unknown[] = []
  const metas: unknown[] = []
  const handler = create({
    createContext: () => ({ caller: undefined }),
    ...options,
    basePath: '/trpc/',
    onError: ({ ctx, error, input, path, req, type }) => {
      errors.push({ ctx, input, path, type, url: req.url, ...describe(error) })
    },
    responseMeta(given) {
      const { info } = given
      metas.push({
        ...given,
        errors: given.errors.map(describe),
        info: info && { ...info, url: info.url?.href, signal: undefined, calls: undefined },
      })
      return options.responseMeta?.(given) ?? {}
    },
  })
  const server = createServer(handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = toAddress(server)
  return {
    port,
    async ask(sent: SentRequest) {
      errors.length = 0
      metas.length = 0
      const answer = await send(port, sent)
      const hasLength = answer.headers['content-length'] !== undefined
      const headers = Object.entries(answer.headers).filter(([name]) => !OF_TRANSFER.has(name))
      const { body, status } = answer
      const seen: Observed = {
        status,
        headers: Object.fromEntries(headers),
        body,
        errors: toPlain(errors, port),
        metas: toPlain(metas, port),
      }
      return { seen, hasLength }
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** As text and back, so that what is compared stays as it was; each server has a port of its own. */
function toPlain(seen: readonly unknown[], port: number): readonly unknown[] {
  const write = (_: string, value: unknown): unknown =>
    typeof value === 'bigint' ? `${String(value)}n` : value
  return JSON.parse(JSON.stringify(seen, write).replaceAll(`:${String(port)}`, ':port'))
}

function describe({ cause, code, message }: TRPCError): object {
  return { code, message, cause: cause?.message }
}

function toAddress(server: Server) {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP server')
  return address
}

async function send(port: number, sent: SentRequest) {
  const { body, headers = {}, method, target } = sent
  const req = request({
    port,
    host: '127.0.0.1',
    method,
    path: target,
    headers: { host: 'agent.example', ...headers },
  })
  req.end(body)
  const [res] = await once(req, 'response')
  let text = ''
  res.setEncoding('utf8')
  for await (const chunk of res) text += String(chunk)
  return { status: res.statusCode, headers: res.headers, body: text }
}
