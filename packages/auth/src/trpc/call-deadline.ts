// The deadline of a call at the agent that is called: what the caller said, within what the agent allows. The call ends
// with it, whatever its handler does, and what the handler began for the call ends, too.
import {
  parseTimeoutHeader,
  parseTimeoutParam,
  readMs,
  systemClock,
  type Clock,
  type Deadline,
  type Result,
} from '../protocol/index.ts'
import { accept } from '../protocol/index.ts'
import type { DeadlineRefusal } from '../refusal.ts'
import { createCoarseTimers } from './coarse-timers.ts'

/** What handlers have as `ctx.deadline`. */
export type CallDeadline = Deadline & {
  /** How long the call had when it arrived. */
  readonly timeoutMs: number
  /** The same for a stream: as long as its caller said, uncut; `undefined` where it said nothing. */
  forStream(): CallDeadline | undefined
  /** Calls back once it is over, up to 10 ms late; what it answers ends the wait. */
  onOver(callback: () => void): () => void
}

/** A deadline, or why what the caller said is none. */
export type ReadDeadline = Result<CallDeadline, DeadlineRefusal>

/** Begins deadlines, at the moment in which a call arrives. */
export type CallDeadlines = {
  /** @param header what the caller sent as `deputy-timeout-ms` */
  fromHeader(header: string | undefined): ReadDeadline
  /**
   * @param timeoutMs of a message
   * @param header of its connection: what counts where the message says nothing
   */
  fromMessage(timeoutMs: unknown, header: string | undefined): ReadDeadline
}

export type CallDeadlinesOptions = {
  /** For who says nothing. */
  readonly defaultTimeoutMs: number
  /** For calls whose caller says more, or for which the default would be more. Streams are not cut to it. */
  readonly maxTimeoutMs: number
  readonly clock?: Clock | undefined
}

/** Creates them, once for an agent: all of its calls share one timer. */
export function createCallDeadlines(options: CallDeadlinesOptions): CallDeadlines {
  const { clock = systemClock, defaultTimeoutMs, maxTimeoutMs } = options
  const timers = createCoarseTimers(clock)

  function begin(given: number | undefined): ReadDeadline {
    const begunAtMs = readMs(clock)
    return accept(create(Math.min(given ?? defaultTimeoutMs, maxTimeoutMs), begunAtMs, given))
  }

  function create(timeoutMs: number, begunAtMs: number, given: number | undefined): CallDeadline {
    const overAtMs = begunAtMs + timeoutMs
    const remainingMs = (): number => Math.max(0, overAtMs - readMs(clock))
    return {
      timeoutMs,
      forStream: () => (given === undefined ? undefined : create(given, begunAtMs, given)),
      remainingMs,
      onOver: (callback: () => void) => timers.start(remainingMs(), callback),
    }
  }

  function fromHeader(header: string | undefined): ReadDeadline {
    const given = parseTimeoutHeader(header)
    return given.ok ? begin(given.value) : given
  }

  return {
    fromHeader,
    fromMessage(timeoutMs, header) {
      const given = parseTimeoutParam(timeoutMs)
      if (!given.ok) return given
      return given.value === undefined ? fromHeader(header) : begin(given.value)
    },
  }
}
