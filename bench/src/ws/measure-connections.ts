// What a connection takes up on which nothing happens, but for an open subscription.
import { readEqualLines } from '../load/equal-lines.ts'
import { openSocket, type BareWebSocket } from './open-socket.ts'
import { IDLE, toMessage } from './scenario.ts'
import { askMemory } from './servers/memory.ts'

export type ConnectionCost = {
  /** Of the process as the system sees it. */
  readonly rssKib: number
  /** Of what is alive. */
  readonly heapKib: number
}

/**
 * Opens connections, each of another caller; then as many again. Measured is what the second half adds: with the first,
 * the server compiles its code and V8 makes room for what does not last, which no further connection costs again.
 */
export async function measureConnections(
  port: number,
  { connections, tokensFile }: { readonly connections: number; readonly tokensFile: string },
): Promise<ConnectionCost> {
  const tokens = readEqualLines(tokensFile)
  const first = await open(port, connections, (at) => tokens.at(at))
  const before = await askMemory(port)
  const second = await open(port, connections, (at) => tokens.at(connections + at))
  const after = await askMemory(port)
  for (const socket of [...first, ...second]) socket.close()
  const perConnection = (bytes: number): number => bytes / 1024 / connections
  return {
    rssKib: perConnection(after.rssBytes - before.rssBytes),
    heapKib: perConnection(after.heapBytes - before.heapBytes),
  }
}

/** Connections that are made at a time. */
const AT_A_TIME = 50

async function open(
  port: number,
  count: number,
  tokenOf: (at: number) => string,
): Promise<readonly BareWebSocket[]> {
  const sockets: BareWebSocket[] = []
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(AT_A_TIME, count - sockets.length) }, (_, at) =>
      subscribe(port, tokenOf(sockets.length + at)),
    )
    sockets.push(...(await Promise.all(some)))
  }
  return sockets
}

async function subscribe(port: number, token: string): Promise<BareWebSocket> {
  return new Promise((resolve, reject) => {
    const socket = openSocket({
      port,
      headers: [`Authorization: Bearer ${token}`],
      onOpen: () => {
        socket.send(toMessage(IDLE, 1))
      },
      onText(text) {
        if (text.includes(IDLE.end)) resolve(socket)
        else reject(new Error(`refused: ${text.toString()}`))
      },
      onError: reject,
    })
  })
}
