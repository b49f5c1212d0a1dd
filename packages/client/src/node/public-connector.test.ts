// Attack: a server on the internet, which was looked at, sends the request on to an address of the caller's own network.
// Nobody looks an address up, so nobody but who makes the connection would look at it.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect as connectSocket } from 'node:net'
import { Agent, fetch, type buildConnector } from 'undici'
import { expect, test } from 'vitest'
import { createPublicConnector } from './public-connector.ts'

test.each([
  'http://169.254.169.254/latest/meta-data',
  'http://127.0.0.1:2019/config',
  'http://10.0.0.1',
  'http://[::1]:8500',
  'http://[::ffff:10.0.0.1]',
  'http://localhost:2375',
  'http://2130706433',
])('a redirect to %s is not followed', async (location) => {
  const server = createServer((_req, res) => {
    res.writeHead(302, { location }).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const connected: string[] = []
  // The internet, as far as this test goes: every host that is let through leads to the server.
  const internet: buildConnector.connector = ({ hostname }, callback) => {
    connected.push(hostname)
    const socket = connectSocket(port, '127.0.0.1', () => callback(null, socket))
  }
  const dispatcher = new Agent({ connect: createPublicConnector(internet) })

  const outcome = await fetch('http://public.example/', { dispatcher }).catch(
    (error: unknown) => error,
  )

  expect(outcome).toMatchObject({ cause: { code: 'host_not_allowed' } })
  expect(connected).toEqual(['public.example'])
  await dispatcher.close()
  server.closeAllConnections()
  server.close()
})
