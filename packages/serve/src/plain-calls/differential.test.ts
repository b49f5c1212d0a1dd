// The handler for plain calls beside tRPC's own adapter: the same requests, the same answers.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  startPair,
  type PairOptions,
  type SentRequest,
} from '../../test-support/differential-pair.ts'
import { SPECIAL_REQUESTS } from '../../test-support/differential-requests.ts'
import {
  createDifferentialRouter,
  taggingTransformer,
} from '../../test-support/differential-router.ts'

const LIMITS = { maxBodySize: 1000, maxBatchSize: 10 }

/** tRPC's adapter never answers a malformed URL with it: it looks for a status in what was stripped. */
const STRIPPING = { router: createDifferentialRouter({ errorFormatter: 'strips' }) }
const isUrl = ({ headers, target }: SentRequest): boolean =>
  URL.canParse(target, `http://${headers?.['host'] ?? 'agent.example'}`) &&
  !String(headers?.['host']).includes('@')

const SETTINGS: readonly (readonly [string, PairOptions])[] = [
  ['by default', { router: createDifferentialRouter() }],
  ['with method override', { router: createDifferentialRouter(), allowMethodOverride: true }],
  [
    'with a transformer',
    { router: createDifferentialRouter({ transformer: taggingTransformer }), ...LIMITS },
  ],
  ['with a part that is loaded later', { router: createDifferentialRouter({ hasLazyPart: true }) }],
  [
    'with limits, and no batches',
    { router: createDifferentialRouter(), ...LIMITS, allowBatching: false },
  ],
  ['with limits', { router: createDifferentialRouter(), ...LIMITS, allowMethodOverride: true }],
  ['with a formatter that strips', STRIPPING],
  [
    'with a formatter that fails',
    { router: createDifferentialRouter({ errorFormatter: 'throws' }) },
  ],
  [
    'with a context that cannot be made',
    {
      router: createDifferentialRouter(),
      createContext() {
        throw new Error('no context')
      },
    },
  ],
  [
    'with header fields of its own',
    {
      router: createDifferentialRouter(),
      responseMeta: ({ errors, type }) => ({
        ...(type === 'mutation' ? { status: 202 } : {}),
        headers: new Headers([
          ['set-cookie', 'a=1'],
          ['set-cookie', 'b=2'],
          ['vary', 'origin'],
          ['X-Errors', String(errors.length)],
        ]),
      }),
    },
  ],
  [
    'with header fields as a record',
    {
      router: createDifferentialRouter(),
      responseMeta: () => ({
        headers: { 'Content-Type': 'application/x-own', 'X-Many': ['1', '2'], 'X-One': 'one' },
      }),
    },
  ],
  [
    'with a responseMeta that fails',
    {
      router: createDifferentialRouter(),
      responseMeta() {
        throw new Error('no meta')
      },
    },
  ],
  [
    'behind CORS',
    {
      router: createDifferentialRouter(),
      middleware(req, res, next) {
        res.setHeader('access-control-allow-origin', '*')
        res.setHeader('vary', 'origin')
        if (req.method === 'OPTIONS') res.writeHead(204).end()
        else next()
      },
    },
  ],
  [
    'behind a middleware that refuses',
    {
      router: createDifferentialRouter(),
      middleware: (_req, _res, next) => next(new RangeError('refused')),
    },
  ],
  [
    'behind a middleware that fails',
    {
      router: createDifferentialRouter(),
      middleware() {
        throw new RangeError('broken')
      },
    },
  ],
  [
    'behind a middleware that reads the body',
    {
      router: createDifferentialRouter(),
      middleware(req, _res, next) {
        let body = ''
        req.on('data', (chunk) => (body += String(chunk)))
        req.on('end', () => {
          if (body !== '') Object.assign(req, { body })
          next()
        })
      },
    },
  ],
  [
    'with a status that was set before',
    {
      router: createDifferentialRouter(),
      createContext({ res }) {
        res.statusCode = 203
        return { caller: 'early' }
      },
    },
  ],
]

describe('answers what tRPC’s own adapter answers', () => {
  test.each(SETTINGS)('%s', { timeout: 60_000 }, async (_, options) => {
    await using pair = await startPair(options)

    for (const sent of SPECIAL_REQUESTS) {
      if (options === STRIPPING && !isUrl(sent)) continue
      const { plain, stock } = await pair.ask(sent)
      expect({ sent, ...plain }).toEqual({ sent, ...stock })
    }
  })

  test('to hundreds of requests that nobody thought of', { timeout: 60_000 }, async () => {
    const router = createDifferentialRouter({ transformer: taggingTransformer })
    await using pair = await startPair({ router, ...LIMITS, allowMethodOverride: true })

    await fc.assert(
      fc.asyncProperty(anyRequest, async (sent) => {
        const { plain, stock } = await pair.ask(sent)
        expect(plain).toEqual(stock)
      }),
      { numRuns: 600 },
    )
  })

  test('and answers the plain ones by itself', async () => {
    await using pair = await startPair({ router: createDifferentialRouter() })
    const ask = async (sent: SentRequest) => (await pair.ask(sent)).isPlain
    const headers = { 'content-type': 'application/json' }
    const batch = '/trpc/hello,echo?batch=1'

    const plain = [
      await ask({ method: 'GET', target: '/trpc/hello' }),
      await ask({ method: 'GET', target: `${batch}&input=%7B%221%22%3A1%7D`, headers }),
      await ask({ method: 'POST', target: '/trpc/save', headers, body: '{"text":"a"}' }),
      await ask({ method: 'GET', target: '/trpc/nowhere' }),
    ]
    const others = [
      await ask({ method: 'GET', target: '/trpc/ticks' }),
      await ask({ method: 'GET', target: batch, headers: { 'trpc-accept': 'application/jsonl' } }),
    ]

    expect([plain, others]).toEqual([
      [true, true, true, true],
      [false, false],
    ])
  })
})

const names = fc.constantFrom(
  'hello',
  'echo',
  'strict',
  'date',
  'big',
  'save',
  'saveAny',
  'saveNothing',
  'refuse',
  'nested.deep.hello',
  'nowhere',
  '__proto__',
  'constructor',
  'throwError',
  'own',
  'none',
)
const anyName = fc.oneof(
  { weight: 9, arbitrary: names },
  fc.webPath().map((path) => path.slice(1)),
)
const value = fc.oneof(
  fc.record({ tagged: fc.record({ text: fc.string() }) }),
  fc.record({ tagged: fc.jsonValue() }),
  fc.jsonValue(),
)
const anyInput = fc.oneof(
  fc
    .dictionary(fc.constantFrom('0', '1', '2', '__proto__'), value)
    .map((one) => JSON.stringify(one)),
  value.map((one) => JSON.stringify(one)),
  fc.string(),
)
const flag = fc.constantFrom('', 'batch=1', 'batch=0', 'x=1')
const anyHeaders = fc.record(
  {
    'content-type': fc.constantFrom('application/json', 'application/json;charset=utf-8', 'text/x'),
    accept: fc.constantFrom('*/*', 'application/json'),
  },
  { requiredKeys: [] },
)

const anyRequest: fc.Arbitrary<SentRequest> = fc
  .record({
    method: fc.constantFrom('GET', 'POST'),
    paths: fc.array(anyName, { minLength: 1, maxLength: 12 }),
    flag,
    input: anyInput,
    headers: anyHeaders,
    isEncoded: fc.boolean(),
  })
  .map(({ flag: first, headers, input, isEncoded, method, paths }) => {
    const isPost = method === 'POST'
    const text = isEncoded
      ? encodeURIComponent(input.toWellFormed())
      : encodeURI(input.toWellFormed())
    const query = [first, isPost ? '' : `input=${text}`].filter((part) => part !== '').join('&')
    const target = `/trpc/${paths.join(',')}?${query}`
    return isPost ? { method, target, headers, body: input } : { method, target, headers }
  })
