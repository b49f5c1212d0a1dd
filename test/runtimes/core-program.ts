// One program for every runtime: it uses the core of the client as an agent would that runs there.
import type { Clock } from '@deputy/auth/protocol'
import {
  apiKey,
  clientSecret,
  createAgentClient,
  generateDpopKey,
  toClientError,
  type AgentClient,
} from '@deputy/client'
import type { GreeterRouter } from './greeter-router.ts'

/** Whom the program calls, and as whom. */
export type Place = {
  readonly issuer: string
  /** The agent's; everything else is found out from it. */
  readonly url: string
  readonly clientId: string
  readonly clientSecret: string
  readonly apiKey: string
  /** Default: the machine's. */
  readonly clock?: Clock | undefined
}

async function count(client: AgentClient<GreeterRouter>): Promise<number[]> {
  const counted: number[] = []
  await new Promise<void>((resolve, reject) => {
    client.count.subscribe(undefined, {
      onData: ({ data }) => counted.push(data),
      onComplete: resolve,
      onError: reject,
    })
  })
  return counted
}

/** Runs it. What it answers is the same everywhere: `EXPECTED`. */
export async function runProgram({ url, ...place }: Place) {
  // Tokens that are bound to a key that does not leave the runtime.
  const credentials = clientSecret({ ...place, dpopKey: await generateDpopKey() })
  const { clock } = place
  const http = createAgentClient<GreeterRouter>({ url, credentials, clock })
  const socket = createAgentClient<GreeterRouter>({
    url,
    credentials,
    clock,
    transport: 'websocket',
  })
  const byKey = createAgentClient<GreeterRouter>({
    url,
    clock,
    credentials: apiKey(place.apiKey),
  })
  const gaveUp = new AbortController()
  gaveUp.abort()

  const result = {
    together: await Promise.all([
      http.greet.query({ name: 'Bob' }),
      http.greet.query({ name: 'Carol' }),
    ]),
    noted: await http.note.mutate({ text: 'twelve chars' }),
    refused: await http.forget.mutate().then(String, (error: unknown) => toClientError(error).code),
    givenUp: await http.greet
      .query({ name: 'nobody' }, { signal: gaveUp.signal })
      .then(String, (error: unknown) => toClientError(error).code),
    counted: await count(http),
    byKey: await byKey.greet.query({ name: 'Dave' }),
    overSocket: await socket.greet.query({ name: 'Eve' }),
    countedOverSocket: await count(socket),
    printed: `${String(credentials)} ${JSON.stringify({ credentials })}`.includes(
      place.clientSecret,
    ),
  }
  await Promise.all([http, socket, byKey].map(async (client) => client[Symbol.asyncDispose]()))
  return result
}

export const EXPECTED: Awaited<ReturnType<typeof runProgram>> = {
  together: ['Hello Bob, says agent-alice-v1', 'Hello Carol, says agent-alice-v1'],
  noted: 12,
  refused: 'scope_missing',
  givenUp: 'call_aborted',
  counted: [1, 2, 3],
  byKey: 'Hello Dave, says agent-alice-v1',
  overSocket: 'Hello Eve, says agent-alice-v1',
  countedOverSocket: [1, 2, 3],
  printed: false,
}
