// `node:http` without what its `import` brings: that reads every export, `WebSocket` among them, for which Node loads
// the whole of undici: a tenth of an agent's start (docs/adr/0045).
import { getBuiltinModule } from 'node:process'

export const { createServer, STATUS_CODES } = getBuiltinModule('node:http')
