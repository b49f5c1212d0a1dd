// A server that speaks the protocol of OpenAI's chat completions, as the test says, and remembers what it was sent.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type SeenRequest = {
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** How it answers one request. */
export type FakeAnswer = (response: ServerResponse, request: SeenRequest) => void

const USAGE = { prompt_tokens: 200, completion_tokens: 30, total_tokens: 230 }

function toMessage(message: object, finish: string, usage: object | undefined): FakeAnswer {
  return (response) => {
    response.setHeader('content-type', 'application/json')
    response.end(
      JSON.stringify({
        id: 'chatcmpl-1',
        object: 'chat.completion',
        created: 1,
        model: 'fake',
        choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }],
        ...(usage === undefined ? {} : { usage }),
      }),
    )
  }
}

/** Says something. */
export const says = (content: string, usage: object | undefined = USAGE): FakeAnswer =>
  toMessage({ content }, 'stop', usage)

/** Wants tools called, the arguments as the text that it writes. */
export const calls = (
  ...wanted: readonly { readonly tool: string; readonly input: object | string }[]
): FakeAnswer =>
  toMessage(
    {
      content: null,
      tool_calls: wanted.map(({ input, tool }, at) => ({
        id: `call_${tool}_${String(at)}`,
        type: 'function',
        function: {
          name: tool,
          arguments: typeof input === 'string' ? input : JSON.stringify(input),
        },
      })),
    },
    'tool_calls',
    USAGE,
  )

/** Fails, and asks for no patience before the next try. */
export const fails =
  (status: number, body = '{"error":{"message":"no"}}'): FakeAnswer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', 'retry-after-ms': '1' })
    response.end(body)
  }

/** Starts it: it answers with each in turn, and with the last one for ever. */
export async function startFakeModelServer(answers: readonly FakeAnswer[]) {
  const requests: SeenRequest[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (part: string) => (body += part))
    request.on('end', () => {
      const seen = { url: request.url ?? '', headers: request.headers, body }
      requests.push(seen)
      const answer = answers[Math.min(requests.length, answers.length) - 1]
      answer?.(response, seen)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${String(port)}/v1`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
