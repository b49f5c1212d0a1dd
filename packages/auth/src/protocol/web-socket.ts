// What Deputy adds to tRPC's protocol over WebSocket. Each of it is plain tRPC on the wire, so that any client can
// speak it, and a server that knows nothing of it answers with NOT_FOUND.

/**
 * Path of the mutation that presents another token on an open connection. Its input has the names of headers
 * (`authorization`, `dpop`), its answer says when the authority ends. No router may have a procedure there.
 */
export const REAUTHENTICATE_PATH = 'deputy.reauthenticate'

/**
 * Close codes (RFC 6455 §7.4). Whoever is closed with one may connect again, and a subscription with tracked
 * events goes on there after the last one; with `unauthenticated`, `tooManyMessages` and `tooManyConnections` it is
 * the client that has to do something about it first.
 */
export const CLOSE_CODE = Object.freeze({
  /** The agent is shutting down. */
  goingAway: 1001,
  /** A message was larger than allowed. */
  messageTooBig: 1009,
  /** The client did not read what was sent to it. */
  slowReader: 1013,
  /** No good credential in time, or the caller's authority has ended. */
  unauthenticated: 4401,
  /** Nothing happened on the connection for too long. */
  idle: 4408,
  /** More messages in a short time than allowed. */
  tooManyMessages: 4429,
  /** More connections of one agent than allowed. */
  tooManyConnections: 4430,
})
