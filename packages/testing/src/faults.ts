// What can go wrong in a world, until it is lifted.
import { startTimer, type Clock } from '@deputy/auth/protocol'
import type { Connection, Gate, MemoryNetwork, Passing, Verdict } from './network/memory-network.ts'
import type { MemorySocket } from './network/memory-socket.ts'

/** Something that goes wrong until it is lifted: by hand, or at the end of a `using`. */
export type Fault = Disposable & { lift(): void }

export type FailingOptions = {
  /** HTTP status. Default 503. */
  readonly status?: number | undefined
  /** Only requests whose path begins with it. Default: all. */
  readonly path?: string | undefined
  /** How often; then the fault lifts itself. Default: until it is lifted. */
  readonly times?: number | undefined
  readonly retryAfterSeconds?: number | undefined
}

export type OutageOptions = {
  /** Only this party does not reach it. Default: nobody does. */
  readonly from?: { readonly id: string } | undefined
}

export type SlowOptions = {
  /** How much later each request arrives, in milliseconds of the world's clock. */
  readonly ms: number
  /** Only requests whose path begins with it. Default: all. */
  readonly path?: string | undefined
}

export type FaultBox = {
  readonly gate: Gate
  readonly isReachable: (connection: Connection) => boolean
  outage(host: string, network: Pick<MemoryNetwork, 'cut'>, options?: OutageOptions): Fault
  failing(host: string, options?: FailingOptions): Fault
  slow(host: string, options: SlowOptions): Fault
  /** Cuts the revocation feed of one party; silently, nobody is told that it is cut. */
  loseFeed(from: string, options?: { readonly silently?: boolean | undefined }): Fault
}

type Rule = (request: Passing) => Verdict | undefined

const FEED_PATH = '/oauth/revocations'
const PASS: Verdict = { act: 'pass' }

/** Creates a box without faults. */
export function createFaultBox(clock: Clock): FaultBox {
  const rules = new Set<Rule>()
  const outages = new Set<(connection: Connection) => boolean>()
  const feeds = new Map<MemorySocket, string>()

  function add(rule: Rule, end: () => void = () => undefined): Fault {
    rules.add(rule)
    return toFault(() => {
      if (rules.delete(rule)) end()
    })
  }

  return {
    gate(request) {
      if (request.path === FEED_PATH) {
        const { from, socket } = request
        feeds.set(socket, from)
        socket.once('close', () => feeds.delete(socket))
      }
      for (const rule of rules) {
        const verdict = rule(request)
        if (verdict !== undefined) return verdict
      }
      return PASS
    },

    isReachable: (connection) => ![...outages].some((isOut) => isOut(connection)),

    outage(host, network, { from: who } = {}) {
      const isOut = ({ from, to }: Connection): boolean =>
        to === host && (who === undefined || from === who.id)
      outages.add(isOut)
      network.cut(isOut)
      return toFault(() => void outages.delete(isOut))
    },

    failing(host, { path = '/', retryAfterSeconds, status = 503, times = Infinity } = {}) {
      let left = times
      const headers: Record<string, string> =
        retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
      return add((request) => {
        if (request.to !== host || !request.path.startsWith(path) || left <= 0) return undefined
        left -= 1
        return { act: 'answer', status, headers }
      })
    },

    slow(host, { ms, path = '/' }) {
      return add((request) => {
        if (request.to !== host || !request.path.startsWith(path)) return undefined
        return { act: 'hold', until: (release) => void startTimer(clock, ms, release) }
      })
    },

    loseFeed(from, { silently = false } = {}) {
      const resets: (() => void)[] = []
      for (const [socket, follower] of feeds) {
        if (follower !== from) continue
        if (!silently) socket.reset()
        else {
          socket.silence()
          resets.push(() => socket.reset())
        }
      }
      const rule: Rule = (request) => {
        if (request.path !== FEED_PATH || request.from !== from) return undefined
        if (!silently) return { act: 'reset' }
        return { act: 'hold', until: (_release, reset) => void resets.push(reset) }
      }
      return add(rule, () => {
        for (const reset of resets) reset()
      })
    },
  }
}

function toFault(lift: () => void): Fault {
  return { lift, [Symbol.dispose]: lift }
}
