// The main job from start to end: start the servers, do the work, show the refusals, stay up or stop.
import { BILLING_AGENT_ID } from '@deputy/contracts/billing'
import { RESEARCH_AGENT_ID } from '@deputy/contracts/research'
import { makeAttempts, requestToken } from './attempts.ts'
import { showCommands } from './commands-to-try.ts'
import { DemoError } from './demo-error.ts'
import { AUTH_SERVER_ID, VISITOR_ID } from './enroll.ts'
import type { DemoOptions } from './options.ts'
import { openStateFolder } from './state-folder.ts'
import { tellStory } from './story.ts'
import { startSystem } from './system.ts'
import type { Transcript } from './transcript.ts'

/**
 * Runs the job. Resolves once everything has been stopped in order; rejects with `DemoError`.
 *
 * @param stop aborted when the person wants it to end
 */
export async function runDemo(
  options: DemoOptions,
  transcript: Transcript,
  stop: AbortSignal,
): Promise<void> {
  using state = openStateFolder(options.demo ? undefined : options.stateDir)
  await using system = await startSystem(options, state)
  const stopped = new Promise<undefined>((resolve) => {
    if (stop.aborted) resolve(undefined)
    stop.addEventListener('abort', () => resolve(undefined), { once: true })
  })

  async function work(): Promise<void> {
    transcript({ type: 'chapter', title: 'Deputy is running' })
    transcript({ type: 'server', id: AUTH_SERVER_ID, url: system.issuer })
    transcript({ type: 'server', id: BILLING_AGENT_ID, url: system.billingUrl })
    transcript({ type: 'server', id: RESEARCH_AGENT_ID, url: system.researchUrl })
    const shortToken = await requestToken(system.issuer, state, { agentId: VISITOR_ID })
    const isAnswered = await tellStory({ system, state, question: options.question, transcript })
    await makeAttempts({ system, state, transcript, shortToken })
    if (options.demo && !isAnswered) throw new DemoError('The question was not answered.')
    if (options.demo) return
    showCommands(system, state, transcript)
    await stopped
  }

  const failure = await Promise.race([work(), stopped, system.failed])
  if (failure !== undefined && !stop.aborted) {
    throw new DemoError(`${failure}. Its log is in ${state.file('logs')}.`)
  }
}
