/**
 * Creates a class of sockets that send each line of a text as a message of its own. tRPC's client writes all calls of a
 * moment as one text; JSON has no line break, so that the encoder can part it by them. `undefined` where there are no
 * sockets.
 */
export function createLineSocket(Base: typeof WebSocket | undefined): typeof WebSocket | undefined {
  if (Base === undefined) return undefined
  return class extends Base {
    override send(data: Parameters<WebSocket['send']>[0]): void {
      if (typeof data !== 'string') super.send(data)
      else for (const line of data.split('\n')) super.send(line)
    }
  }
}
