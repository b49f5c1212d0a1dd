import { once } from 'node:events'
import { expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { toTextFrame } from './text-frame.ts'

/** What a peer reads of it. */
async function read(texts: readonly string[]): Promise<readonly string[]> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  server.once('connection', (_, req) => {
    for (const text of texts) req.socket.write(toTextFrame(text), 'latin1')
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const client = new WebSocket(`ws://127.0.0.1:${String(port)}`)
  const messages: string[] = []
  await new Promise<void>((resolve, reject) => {
    client.once('error', reject)
    client.on('message', (data: Buffer) => {
      messages.push(data.toString())
      if (messages.length === texts.length) resolve()
    })
  })
  client.terminate()
  server.close()
  return messages
}

test.each([0, 1, 125, 126, 127, 65_535, 65_536, 200_000])(
  'a text of %i characters arrives as it was',
  async (length) => {
    const texts = ['x', 'é', '☃'].map((character) => character.repeat(length))

    expect(await read(texts)).toEqual(texts)
  },
)

test('what is no ASCII arrives as it was', async () => {
  const texts = ['größer', '☃ and 👋', 'ascii again', '\u{0}\u{7f}\u{80}\u{ff}']

  expect(await read(texts)).toEqual(texts)
})
