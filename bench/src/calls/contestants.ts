// The servers, each with the request that asks it for the same.
import { fileURLToPath } from 'node:url'
import { TEXT, TRPC_BATCH, TRPC_QUERY, type RequestForm } from './scenario.ts'

export type Contestant = {
  readonly name: string
  readonly what: string
  readonly main: string
  readonly environment?: Readonly<Record<string, string>>
  /** Each is measured by itself. */
  readonly requests: readonly {
    readonly name: string
    readonly form: RequestForm | { readonly grpcPath: string }
    /** What callers present. Default: a token. */
    readonly credential?: 'apiKey'
  }[]
}

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const one = (name: string, form: RequestForm) => [{ name, form }]
const deputy = (
  denied: number,
  maxTokens: number,
  isOpen = false,
): Readonly<Record<string, string>> => ({
  BENCH_DENIED: String(denied),
  BENCH_MAX_TOKENS: String(maxTokens),
  BENCH_OPEN: isOpen ? 'yes' : 'no',
})

/** All of them. */
export const CONTESTANTS: readonly Contestant[] = [
  {
    name: 'deputy',
    what: 'an agent: token known, scope, rate limit, revocation view, call log',
    main: file('servers/deputy-main.ts'),
    environment: deputy(1000, 10_000),
    requests: [
      ...one('deputy', TRPC_QUERY),
      ...one('deputy-batch10', TRPC_BATCH),
      { name: 'deputy-api-key', form: TRPC_QUERY, credential: 'apiKey' },
    ],
  },
  {
    name: 'deputy-1m',
    what: 'the same with 1,000,000 deny entries and as many agents counted',
    main: file('servers/deputy-main.ts'),
    environment: deputy(1_000_000, 10_000),
    requests: one('deputy-1m', TRPC_QUERY),
  },
  {
    name: 'deputy-cold',
    what: 'the same with room for one token: every signature is verified',
    main: file('servers/deputy-main.ts'),
    environment: deputy(1000, 1),
    requests: one('deputy-cold', TRPC_QUERY),
  },
  {
    name: 'deputy-open',
    what: 'the same without authentication: everybody is let in as the same caller, unseen',
    main: file('servers/deputy-main.ts'),
    environment: deputy(1000, 1, true),
    requests: [...one('deputy-open', TRPC_QUERY), ...one('deputy-open-batch10', TRPC_BATCH)],
  },
  {
    name: 'bare',
    what: 'node:http and JSON, nothing else',
    main: file('servers/bare-main.ts'),
    requests: one('bare', TRPC_QUERY),
  },
  {
    name: 'trpc-standalone',
    what: 'tRPC 11.25.2, no authentication',
    main: file('peers/trpc-standalone-main.ts'),
    requests: [
      ...one('trpc-standalone', TRPC_QUERY),
      ...one('trpc-standalone-batch10', TRPC_BATCH),
    ],
  },
  {
    name: 'trpc-fetch',
    what: 'its fetch adapter, no authentication',
    main: file('peers/trpc-fetch-main.ts'),
    requests: one('trpc-fetch', TRPC_QUERY),
  },
  {
    name: 'trpc-fastify',
    what: 'its fastify adapter, no authentication',
    main: file('peers/trpc-fastify-main.ts'),
    requests: one('trpc-fastify', TRPC_QUERY),
  },
  {
    name: 'orpc',
    what: 'oRPC on node:http, no authentication',
    main: file('peers/orpc-main.ts'),
    requests: one('orpc', { method: 'POST', target: '/rpc/echo', body: { json: { text: TEXT } } }),
  },
  {
    name: 'connect',
    what: 'Connect on node:http, its own protocol with JSON, no authentication',
    main: file('peers/connect-main.ts'),
    requests: one('connect', {
      method: 'POST',
      target: '/bench.Notes/Echo',
      headers: ['Connect-Protocol-Version: 1'],
      body: { text: TEXT },
    }),
  },
  {
    name: 'grpc-js',
    what: 'grpc-js, unary over HTTP/2 without TLS, no authentication',
    main: file('peers/grpc-js-main.ts'),
    requests: [{ name: 'grpc-js', form: { grpcPath: '/bench.Notes/Echo' } }],
  },
  {
    name: 'fastify-jwt',
    what: 'fastify, @fastify/jwt with its cache on',
    main: file('peers/fastify-jwt-main.ts'),
    requests: one('fastify-jwt', {
      method: 'GET',
      target: `/echo?text=${encodeURIComponent(TEXT)}`,
    }),
  },
  {
    name: 'mcp',
    what: 'MCP SDK, streamable HTTP, stateless, no authentication',
    main: file('peers/mcp-main.ts'),
    requests: one('mcp', {
      method: 'POST',
      target: '/mcp',
      headers: ['Accept: application/json, text/event-stream', 'MCP-Protocol-Version: 2025-06-18'],
      body: {
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'echo', arguments: { text: TEXT } },
      },
    }),
  },
  {
    name: 'a2a',
    what: 'A2A SDK on express, no authentication',
    main: file('peers/a2a-main.ts'),
    requests: one('a2a', {
      method: 'POST',
      target: '/a2a',
      headers: ['A2A-Version: 1.0'],
      body: {
        jsonrpc: '2.0',
        id: 1,
        method: 'SendMessage',
        params: {
          message: { messageId: 'm-1', role: 'ROLE_USER', parts: [{ text: TEXT }] },
          configuration: { returnImmediately: false },
        },
      },
    }),
  },
]
