// Asks research, and shows what it does while it does it.
import type { AgentClient } from '@deputy/client'
import type { AskStreamInput, Brief, ResearchRouter } from '@deputy/contracts/research'
import { DemoError } from './demo-error.ts'
import type { Transcript } from './transcript.ts'

/** Resolves with the brief, which is the last event. Rejects with what the subscription ends with. */
export async function askLive(
  research: AgentClient<ResearchRouter>,
  input: Pick<AskStreamInput, 'question' | 'taskGrant'>,
  transcript: Transcript,
): Promise<Brief> {
  return new Promise((resolve, reject) => {
    research.research.ask.subscribe(input, {
      onData: ({ data: event }) => {
        if (event.type === 'step') transcript({ type: 'step', ...event.step })
        else resolve(event.brief)
      },
      onError: reject,
      onComplete: () => reject(new DemoError('research ended without an answer')),
    })
  })
}
