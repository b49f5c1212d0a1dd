/** What one WebSocket, one agent's, and all of them together may take up. Each has a default. */
export type WebSocketLimits = {
  /** Largest message, in bytes. Larger: closed with 1009. Default: the largest body over HTTP. */
  readonly maxMessageBytes: number
  /** How deep JSON may be nested in a message. Deeper: answered with `parse_error`. Default: as over HTTP. */
  readonly maxJsonDepth: number
  /** Messages a second, on average; twice as many at once. More: closed with 4429. Default 2,000. */
  readonly maxMessagesPerSecond: number
  /** Calls and subscriptions under way on one connection. More: `too_many_calls`. Default 1,000. */
  readonly maxCallsUnderWay: number
  /** Subscriptions on one connection. More: `too_many_streams`. Default 100. */
  readonly maxSubscriptions: number
  /** Connections of one agent. More: the new one is closed with 4430. Default 1,000. */
  readonly maxConnectionsPerAgent: number
  /** Connections in all. More: the handshake is answered with 503. Default 10,000. */
  readonly maxConnections: number
  /** How long a connection may stay without a good credential; then closed with 4401. Default 10,000 ms. */
  readonly authenticateWithinMs: number
  /** How often a peer is pinged; one that has not answered by the next time is gone. Default 30,000 ms. */
  readonly pingEveryMs: number
  /** How long a connection may stay without a call or a subscription; then closed with 4408. Default 600,000 ms. */
  readonly idleTimeoutMs: number
  /** Bytes waiting to be sent above which nothing more is produced or read for a connection. Default 262,144. */
  readonly highWaterMarkBytes: number
  /** How long a peer may stay above it; then closed with 1013. Default 30,000 ms. */
  readonly slowReaderTimeoutMs: number
}

/** But for size and depth of a message, which are those of a body unless something else is said. */
export const WEB_SOCKET_DEFAULTS: Omit<WebSocketLimits, 'maxMessageBytes' | 'maxJsonDepth'> = {
  maxMessagesPerSecond: 2000,
  maxCallsUnderWay: 1000,
  maxSubscriptions: 100,
  maxConnectionsPerAgent: 1000,
  maxConnections: 10_000,
  authenticateWithinMs: 10_000,
  pingEveryMs: 30_000,
  idleTimeoutMs: 600_000,
  highWaterMarkBytes: 256 * 1024,
  slowReaderTimeoutMs: 30_000,
}
