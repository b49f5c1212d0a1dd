import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findFreePort } from '../process/find-free-port.ts'
import { measureStart } from './measure-start.ts'

async function measure(code: string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'deputy-start-'))
  try {
    const main = join(folder, 'main.mjs')
    await writeFile(main, `${code}\nprocess.on('disconnect', () => process.exit())`)
    const port = await findFreePort()
    const request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
    return await measureStart({ name: 'it', main, environment: {}, port, request }, 'right')
  } finally {
    await rm(folder, { recursive: true })
  }
}

const serve = (status: number, body: string): string =>
  `import { createServer } from 'node:http'
   createServer((_, res) => {
     res.writeHead(${String(status)}, { 'content-length': ${String(body.length)} }).end('${body}')
   }).listen(process.env.PORT, '127.0.0.1')`

test('a start is over with the first right answer', async () => {
  expect(await measure(serve(200, 'right'))).toBeGreaterThan(0)
})

test('nobody wins by answering something else, or by ending', async () => {
  await expect(measure(serve(200, 'wrong'))).rejects.toThrow('answered something else first')
  await expect(measure(serve(401, 'right'))).rejects.toThrow('answered something else first: 401')
  await expect(measure('process.exit(0)')).rejects.toThrow('ended before it answered')
})
