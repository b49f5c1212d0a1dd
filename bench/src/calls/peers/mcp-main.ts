// The MCP SDK's streamable HTTP server, stateless, answering JSON: a server and a transport for each request,
// as its documentation has it.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { createServer } from 'node:http'
import * as z from 'zod'
import { endWithParent, readPort } from '../servers/settings.ts'

createServer((req, res) => {
  const server = new McpServer({ name: 'bench', version: '1.0.0' })
  server.registerTool('echo', { inputSchema: { text: z.string() } }, ({ text }) => ({
    content: [{ type: 'text', text }],
  }))
  const transport = new StreamableHTTPServerTransport({
    enableJsonResponse: true,
  })
  res.once('close', () => {
    void transport.close()
    void server.close()
  })
  void server.connect(transport).then(async () => transport.handleRequest(req, res))
}).listen(readPort(), '127.0.0.1')
endWithParent()
