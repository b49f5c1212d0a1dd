// The agents that follow the feed of this server right now, and what they say of a revocation that is not
// made yet.
import {
  systemClock,
  waitFor,
  type Clock,
  type ReachAnswer,
  type ReachQuestion,
} from '@deputy/auth/protocol'
import { randomUUID } from 'node:crypto'

/** Puts a question into the feed of one connection. */
export type SendQuestion = (question: ReachQuestion) => void

export type Verifiers = {
  /** Notes a connection, until it is disposed of. */
  connect(agentId: string, send: SendQuestion): Disposable
  hasRoom(agentId: string): boolean
  isConnected(agentId: string): boolean
  /**
   * Asks how far a revocation would reach, and waits for the answers, half a second at most. Answers by
   * agent, added up over its instances; whoever did not say in time, or follows another server's feed, is
   * left out.
   */
  ask(
    agentIds: readonly string[],
    denied: Pick<ReachQuestion, 'grants' | 'agents'>,
  ): Promise<ReadonlyMap<string, ReachAnswer>>
  /** Takes an answer; one that nobody waits for is dropped. */
  answer(agentId: string, questionId: string, answer: ReachAnswer): void
}

/** Connections of one agent, at most: its instances, and some that are not yet known to be gone. */
const MAX_CONNECTIONS = 100

/** How long a preview waits, in milliseconds. */
const ANSWER_WITHIN_MS = 500

type Asked = {
  /** Connections that have not answered yet, by agent. */
  readonly open: Map<string, number>
  readonly answers: Map<string, ReachAnswer>
  readonly finish: () => void
}

export type VerifiersOptions = {
  /** What the wait goes by. Default: the machine's timers. */
  readonly clock?: Clock | undefined
}

/** Creates the list. */
export function createVerifiers({ clock = systemClock }: VerifiersOptions = {}): Verifiers {
  const connections = new Map<string, Set<SendQuestion>>()
  const questions = new Map<string, Asked>()
  const count = (agentId: string): number => connections.get(agentId)?.size ?? 0

  return {
    connect(agentId, send) {
      const own = connections.get(agentId) ?? new Set()
      connections.set(agentId, own)
      // Wrapped: one that connects twice with the same function is two.
      const connection: SendQuestion = (question) => {
        send(question)
      }
      own.add(connection)
      return {
        [Symbol.dispose]() {
          own.delete(connection)
          if (own.size === 0 && connections.get(agentId) === own) connections.delete(agentId)
        },
      }
    },
    hasRoom: (agentId) => count(agentId) < MAX_CONNECTIONS,
    isConnected: (agentId) => connections.has(agentId),

    async ask(agentIds, denied) {
      const asked = agentIds.filter((id) => connections.has(id))
      if (asked.length === 0) return new Map()
      const id = randomUUID()
      const answered = new AbortController()
      const open = new Map(asked.map((agentId) => [agentId, count(agentId)]))
      const answers = new Map<string, ReachAnswer>()
      questions.set(id, { open, answers, finish: () => answered.abort() })
      for (const agentId of asked) {
        for (const send of connections.get(agentId) ?? []) send({ ...denied, id })
      }
      await waitFor(clock, ANSWER_WITHIN_MS, answered.signal)
      questions.delete(id)
      // An agent of which an instance is missing is not known as a whole.
      return new Map([...answers].filter(([agentId]) => !open.has(agentId)))
    },

    answer(agentId, questionId, answer) {
      const question = questions.get(questionId)
      const missing = question?.open.get(agentId)
      if (question === undefined || missing === undefined) return
      const { answers, finish, open } = question
      answers.set(agentId, add(answers.get(agentId), answer))
      if (missing > 1) open.set(agentId, missing - 1)
      else open.delete(agentId)
      if (open.size === 0) finish()
    },
  }
}

/** Instances of one agent share what they hold, and each has calls of its own under way. */
function add(one: ReachAnswer | undefined, other: ReachAnswer): ReachAnswer {
  return one === undefined ? other : { ...other, open: one.open + other.open }
}
