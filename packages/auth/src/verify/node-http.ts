// Node's HTTP clients without what their `import` brings: that reads every export of `node:http`, for some of which Node
// loads the whole of undici (docs/adr/0045).
import type { request } from 'node:http'

/** Loads the client for URLs of a protocol, `http:` or `https:`. */
export function loadHttpClient(protocol: string): { readonly request: typeof request } {
  return process.getBuiltinModule(protocol === 'https:' ? 'node:https' : 'node:http')
}
