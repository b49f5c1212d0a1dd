import { describe, expect, test } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import type { Principal } from '../principal.ts'
import { followRevocationFeed, type FeedState, type FollowFeedOptions } from './revocation-feed.ts'
import { createRevocationView } from './revocation-view.ts'

const NOW = 1_800_000_000
const ISSUER = 'https://issuer.example'
const SECRET = 'cs-agent-of-nobody'

/** An issuer whose feed is written by the test, connection by connection. */
function createHarness(
  members: { readonly hasFeed?: boolean } & Pick<FollowFeedOptions, 'findHeld'> = {},
) {
  const clock = createSettableClock(NOW)
  const view = createRevocationView({ clock })
  const connections: { headers: Headers; write(text: string): void; end(): void }[] = []
  const states: FeedState[] = []
  const waits: number[] = []
  const answers: { id: string | null; reach: unknown; authorization: string | null }[] = []
  const changes = new Set<() => void>()
  const tell = (): void => {
    for (const change of changes) change()
  }
  const fetchDocument = async (input: string | URL | Request, init?: RequestInit) => {
    const url = input instanceof Request ? input.url : String(input)
    if (!url.endsWith('/feed')) {
      return Response.json({
        issuer: ISSUER,
        token_endpoint: `${ISSUER}/token`,
        jwks_uri: `${ISSUER}/jwks`,
        response_types_supported: [],
        ...(members.hasFeed === false ? {} : { revocation_feed_endpoint: `${ISSUER}/feed` }),
      })
    }
    if (init?.method === 'POST') {
      const form = new URLSearchParams(init.body instanceof URLSearchParams ? init.body : '')
      answers.push({
        id: form.get('reach_id'),
        reach: JSON.parse(form.get('reach') ?? 'null') as unknown,
        authorization: new Headers(init.headers).get('authorization'),
      })
      tell()
      return Response.json({})
    }
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const writer = writable.getWriter()
    connections.push({
      headers: new Headers(init?.headers),
      write: (text) => void writer.write(new TextEncoder().encode(text)),
      end: () => {
        // A second time is none.
        writer.close().catch(() => undefined)
      },
    })
    tell()
    return new Response(readable, { headers: { 'content-type': 'text/event-stream' } })
  }
  const feed = followRevocationFeed({
    issuer: ISSUER,
    clientId: 'agent-carol',
    clientSecret: SECRET,
    view,
    fetch: fetchDocument,
    findHeld: members.findHeld,
    random: () => 1,
    wait: async (ms) => void waits.push(ms),
    onChange(state) {
      states.push(state)
      tell()
    },
  })
  /** Waits for something to be so; it is looked at whenever something happened. */
  const until = async (isSo: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!isSo()) return
        changes.delete(look)
        resolve()
      }
      changes.add(look)
      look()
    })
  const connection = async (index: number) => {
    await until(() => connections.length > index)
    const found = connections[index]
    if (found === undefined) throw new Error('there is no such connection')
    return found
  }
  const isDenied = (id: string): boolean => view.isDenied(makePrincipal(id))
  const dispose = async (): Promise<void> => {
    for (const each of connections) each.end()
    await feed[Symbol.asyncDispose]()
  }
  return {
    view,
    answers,
    states,
    waits,
    connection,
    until,
    isDenied,
    [Symbol.asyncDispose]: dispose,
  }
}

const makePrincipal = (id: string): Principal => ({
  agentId: 'agent-bob',
  subject: 'agent-bob',
  audience: 'agent-carol',
  scopes: [],
  priorActors: [],
  expiresAt: NOW + 900,
  grantPath: [id],
  limits: [],
  credential: { kind: 'access_token', id },
})

const toEntries = (ids: readonly string[]) => ids.map((id) => ['grant', id, NOW + 900])
const format = (event: string, seq: number, data: object): string =>
  `event: ${event}\nid: feed:${String(seq)}\ndata: ${JSON.stringify(data)}\n\n`
const snapshot = (seq: number, ids: readonly string[]): string =>
  format('snapshot', seq, { reset: true, entries: toEntries(ids) })
const revoked = (seq: number, ids: readonly string[]): string =>
  format('revoked', seq, { entries: toEntries(ids) })
const READY = 'event: ready\ndata: {}\n\n'

describe('following the feed', () => {
  test('takes up what there is, is fresh when that is all, and hears what comes', async () => {
    await using world = createHarness()
    const connection = await world.connection(0)

    connection.write(snapshot(1, ['token-1']))
    expect(world.view.heardAt).toBeUndefined()
    connection.write(READY)
    await world.until(() => world.states.length > 0)

    expect(world.states).toEqual([{ state: 'following' }])
    expect(world.view.heardAt).toBe(NOW)
    expect(world.isDenied('token-1')).toBe(true)
    expect(connection.headers.get('authorization')).toMatch(/^Basic /)
    expect(connection.headers.has('last-event-id')).toBe(false)
  })

  test('goes on from where it was when the connection ends, and loses nothing', async () => {
    await using world = createHarness()
    const first = await world.connection(0)
    first.write(snapshot(4, ['token-1']) + READY)
    await world.until(() => world.states.length > 0)
    first.end()

    const second = await world.connection(1)
    second.write(revoked(5, ['token-2']) + READY)
    await world.until(() => world.states.length > 2)

    expect(second.headers.get('last-event-id')).toBe('feed:4')
    expect(world.states.map(({ state }) => state)).toEqual(['following', 'lost', 'following'])
    expect([world.isDenied('token-1'), world.isDenied('token-2')]).toEqual([true, true])
  })

  test('forgets what another database said, once the new one has said all', async () => {
    await using world = createHarness()
    const first = await world.connection(0)
    first.write(snapshot(4, ['token-1']) + READY)
    await world.until(() => world.states.length > 0)
    first.end()

    const second = await world.connection(1)
    second.write(snapshot(1, ['token-2']) + READY)
    await world.until(() => world.states.length > 2)

    expect([world.isDenied('token-1'), world.isDenied('token-2')]).toEqual([false, true])
  })

  test('is live while it is followed, and not while it is lost or tells everything anew', async () => {
    await using world = createHarness()
    const first = await world.connection(0)
    first.write(snapshot(4, []))
    const before = world.view.isLive
    first.write(READY)
    await world.until(() => world.states.length > 0)
    const during = world.view.isLive
    first.end()
    await world.connection(1)

    expect([before, during, world.view.isLive]).toEqual([false, true, false])
  })

  test('asks again for what it could not read', async () => {
    await using world = createHarness()
    const first = await world.connection(0)
    first.write(snapshot(4, []) + READY)
    await world.until(() => world.states.length > 0)

    first.write('event: revoked\nid: feed:5\ndata: {"entries":[["planet","x",1]]}\n\n')
    const second = await world.connection(1)

    expect(second.headers.get('last-event-id')).toBe('feed:4')
  })

  test('waits longer from failure to failure, up to ten seconds, and never says its secret', async () => {
    await using world = createHarness()
    for (let index = 0; index < 9; index += 1) (await world.connection(index)).end()
    await world.connection(9)

    expect(world.waits.slice(0, 9)).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000])
    expect(JSON.stringify(world.states)).not.toContain(SECRET)
  })

  test('says so when the issuer has no feed, and asks no more', async () => {
    await using world = createHarness({ hasFeed: false })

    await world.until(() => world.states.length > 0)

    expect(world.states).toEqual([{ state: 'none' }])
    expect(world.waits).toEqual([])
  })
})

describe('asked how far a revocation would reach', () => {
  const reach = (id: string): string =>
    `event: reach\ndata: ${JSON.stringify({ id, grants: ['task-1'], agents: [] })}\n\n`

  test('tells what is under way and what is held, as itself', async () => {
    const held = [{ currency: 'USD', amount: '0.35' }]
    const asked: (readonly string[])[] = []
    await using world = createHarness({
      findHeld: async (grants) => {
        asked.push(grants)
        return held
      },
    })
    world.view.watch(makePrincipal('task-1'), () => undefined)
    world.view.watch(makePrincipal('task-2'), () => undefined)
    const connection = await world.connection(0)

    connection.write(snapshot(1, []) + READY + reach('question-1'))
    await world.until(() => world.answers.length === 1)

    expect(world.answers).toEqual([
      {
        id: 'question-1',
        reach: { open: 1, held },
        authorization: `Basic ${btoa(`agent-carol:${SECRET}`)}`,
      },
    ])
    expect(asked).toEqual([['task-1']])
  })

  test('says nothing where it cannot tell, and goes on to follow', async () => {
    await using world = createHarness({ findHeld: async () => Promise.reject(new Error('gone')) })
    const connection = await world.connection(0)

    connection.write(snapshot(1, []) + READY + reach('question-1') + revoked(2, ['token-1']))
    connection.end()
    await world.connection(1)

    expect(world.states).toMatchObject([
      { state: 'following' },
      { state: 'lost', detail: 'the feed was closed' },
    ])
    expect(world.answers).toEqual([])
    expect(world.isDenied('token-1')).toBe(true)
  })
})
