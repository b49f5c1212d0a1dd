// The A2A SDK's JSON-RPC server on express, with an agent that answers with a message at once.
import { Role } from '@a2a-js/sdk'
import { AgentEvent, DefaultRequestHandler, InMemoryTaskStore } from '@a2a-js/sdk/server'
import { jsonRpcHandler, UserBuilder } from '@a2a-js/sdk/server/express'
import express from 'express'
import { randomUUID } from 'node:crypto'
import { endWithParent, readPort } from '../servers/settings.ts'

const port = readPort()
const card = {
  name: 'bench',
  description: 'answers with what it was given',
  supportedInterfaces: [
    {
      url: `http://127.0.0.1:${String(port)}/a2a`,
      protocolBinding: 'JSONRPC',
      protocolVersion: '1.0',
      tenant: '',
    },
  ],
  provider: undefined,
  version: '1.0.0',
  capabilities: { streaming: false, pushNotifications: false, extensions: [] },
  securitySchemes: {},
  securityRequirements: [],
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  skills: [],
  signatures: [],
}
const handler = new DefaultRequestHandler(card, new InMemoryTaskStore(), {
  async execute({ contextId, userMessage }, bus) {
    bus.publish(
      AgentEvent.message({
        messageId: randomUUID(),
        contextId,
        taskId: '',
        role: Role.ROLE_AGENT,
        parts: userMessage.parts,
        metadata: undefined,
        extensions: [],
        referenceTaskIds: [],
      }),
    )
    bus.finished()
  },
  async cancelTask() {},
})
const app = express()
app.use(
  '/a2a',
  jsonRpcHandler({ requestHandler: handler, userBuilder: UserBuilder.noAuthentication }),
)
app.listen(port, '127.0.0.1')
endWithParent()
