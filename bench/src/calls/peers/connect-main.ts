// Connect on node:http, its own protocol with JSON.
import { connectNodeAdapter } from '@connectrpc/connect-node'
import { createServer } from 'node:http'
import { endWithParent, readPort } from '../servers/settings.ts'
import { EchoMethod } from './echo-service.ts'

const handler = connectNodeAdapter({
  routes(router) {
    router.rpc(EchoMethod, (note) => note)
  },
})
createServer(handler).listen(readPort(), '127.0.0.1')
endWithParent()
