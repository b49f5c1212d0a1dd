// `node:http` without what its `import` brings: that reads every export, `WebSocket` among them, for which Node loads
// the whole of undici: a fifth of an agent's start (docs/adr/0045). Neither is `node:process` imported for that: it would
// open the standard streams.
export const { createServer, STATUS_CODES } = process.getBuiltinModule('node:http')
