// A WebSocket that says what waits to be said before it says that it closes, whichever side closes it: `ws` answers the
// peer's close by itself.
import { WebSocket } from 'ws'

/** The class that `WebSocketServer` makes sockets of. */
export class AgentWebSocket extends WebSocket {
  /** What goes out on it, once it is served. */
  outbox: { flush(): void } | undefined

  override close(code?: number, data?: string | Buffer): void {
    this.outbox?.flush()
    super.close(code, data)
  }
}
