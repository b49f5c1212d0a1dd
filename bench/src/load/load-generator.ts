import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { LoadPlan, LoadReport } from './load-plan.ts'

/** Makes load from a process of its own, one plan at a time. */
export type LoadGenerator = AsyncDisposable & {
  /** Rejects when a connection broke. */
  run(plan: LoadPlan): Promise<LoadReport>
}

/** What the process answers to a plan. */
export type LoadReply = { readonly report: LoadReport } | { readonly fault: string }

const HTTP_MAIN = fileURLToPath(new URL('generator-main.ts', import.meta.url))

/** Starts the process. It ends with this one. @param main what it runs: by default that for HTTP */
export function startLoadGenerator(main = HTTP_MAIN): LoadGenerator {
  const child = fork(main, { serialization: 'advanced' })
  const ended = once(child, 'exit')

  return {
    async run(plan) {
      const over = new AbortController()
      const options = { signal: over.signal }
      try {
        child.send(plan)
        const reply: unknown = await Promise.race([
          once(child, 'message', options).then(([message]: unknown[]) => message),
          ended.then(() => ({ fault: 'the load generator ended' })),
        ])
        if (!isReply(reply)) throw new TypeError('the load generator answered something else')
        if ('fault' in reply) throw new Error(reply.fault)
        return reply.report
      } finally {
        over.abort()
      }
    },
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

function isReply(value: unknown): value is LoadReply {
  return typeof value === 'object' && value !== null && ('report' in value || 'fault' in value)
}
