// All that takes `ws` to be loaded. Imported with the first handshake, not at the start: most agents are only called
// over HTTP (docs/adr/0045).
import { WebSocketServer, type ServerOptions } from 'ws'
import { AgentWebSocket } from './agent-web-socket.ts'

/** Creates what shakes hands, without a port. What it makes are sockets of ours. */
export function createWebSocketServer(settings: ServerOptions) {
  return new WebSocketServer({ ...settings, noServer: true, WebSocket: AgentWebSocket })
}
export type AgentWebSocketServer = ReturnType<typeof createWebSocketServer>
