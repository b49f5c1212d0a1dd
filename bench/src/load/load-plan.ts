// What the generator is asked, and what it found: messages between two processes.
import type { WireProtocol } from './wire.ts'

/** How to load one server. The request is the head, one line of the file, and the tail. */
export type LoadPlan = {
  readonly port: number
  readonly head: string
  /** Lines of equal length, of which each request takes one at random. */
  readonly linesFile: string
  readonly tail: string
  /** What is spoken. Default: HTTP/1.1. */
  readonly protocol?: WireProtocol | undefined
  readonly connections: number
  /** Not counted: connections are being made and caches filled. */
  readonly rampMs: number
  readonly measureMs: number
}

/** What came of it. */
export type LoadReport = {
  /** Answers of status 200 that arrived in the measured time. */
  readonly answered: number
  /** Answers of status 200, those before and after the measured time included. */
  readonly answeredInAll: number
  /** Answers of any other status, at any time, by status. */
  readonly refused: Readonly<Record<string, number>>
  readonly elapsedMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Processor time of the generator in the measured time. */
  readonly cpuMs: number
  /** The body of one of the answers, to be looked at. */
  readonly sample: string
}
