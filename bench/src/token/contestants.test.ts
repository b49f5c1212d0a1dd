// The bench on real servers and next to no load: Deputy as a process on a seeded store, and the bare
// server. The peers are not needed.
import { randomInt } from 'node:crypto'
import { createServer } from 'node:http'
import { describe, expect, test } from 'vitest'
import { startLoadGenerator } from '../load/load-generator.ts'
import { findFreePort } from '../process/find-free-port.ts'
import { createRunFolder, type RunFolder } from '../process/run-folder.ts'
import { checkAudit } from './check-audit.ts'
import { checkContestant } from './check-contestant.ts'
import { checkToken } from './check-token.ts'
import { toRequest, type Contestant } from './contestant.ts'
import { seedStore } from './seed-store.ts'
import { createJwtSigner } from './servers/jwt-signer.ts'
import { startDeputy, startOther } from './servers/start-contestants.ts'

async function seed(folder: RunFolder, agents: number) {
  const files = { databaseFile: folder.file('store.sqlite'), credentialsFile: folder.file('basic') }
  await seedStore({ ...files, agents, onProgress: () => {} })
  return files
}

async function load(contestant: Contestant) {
  await using generator = startLoadGenerator()
  const { credentialsFile: linesFile, port } = contestant
  const plan = { port, linesFile, connections: 8, rampMs: 10, measureMs: 200 }
  return await generator.run({ ...toRequest(contestant), ...plan })
}

describe('a server under test', { timeout: 60_000 }, () => {
  test('Deputy gives every seeded agent its token, each on the audit trail', async () => {
    await using folder = await createRunFolder()
    const store = await seed(folder, 50)
    let answered = 0
    {
      await using deputy = await startDeputy({ name: 'deputy', folder, store })
      const { jwks } = await checkContestant(deputy)

      const report = await load(deputy)

      expect(report.refused).toEqual({})
      expect(report.answered).toBeGreaterThan(0)
      expect(() => checkToken({ body: report.sample, jwks })).not.toThrow()
      answered = report.answeredInAll
    }
    await checkAudit(store.databaseFile, answered)
    await expect(checkAudit(store.databaseFile, answered * 2 + 1000)).rejects.toThrow(
      'on the trail',
    )
  })

  test('the bare server does all that it is measured for', async () => {
    await using folder = await createRunFolder()
    const { credentialsFile } = await seed(folder, 3)
    await using bare = await startOther({ name: 'bare', folder, credentialsFile })
    const { jwks } = await checkContestant(bare)

    const report = await load(bare)

    expect(report.refused).toEqual({})
    expect(() => checkToken({ body: report.sample, jwks })).not.toThrow()
  })

  test('is not measured when it never looks at a secret', async () => {
    await using folder = await createRunFolder()
    const { credentialsFile } = await seed(folder, 3)
    const port = await findFreePort()
    await using server = await startCareless(port)

    const checked = checkContestant({ ...server, port, credentialsFile })

    await expect(checked).rejects.toThrow('took the secret of another client')
  })

  test('whose process ends shows what it said', async () => {
    await using folder = await createRunFolder()

    const started = startOther({ name: 'bare', folder, credentialsFile: folder.file('missing') })

    await expect(started).rejects.toThrow(/bare did not come up: .*ENOENT/s)
  })
})

/** Signs whatever it is asked for. */
async function startCareless(port: number) {
  const signer = createJwtSigner()
  const server = createServer((req, res) => {
    if (req.method === 'GET') {
      res.end(signer.jwks)
      return
    }
    const basic = Buffer.from((req.headers.authorization ?? '').slice(6), 'base64').toString()
    const [id] = basic.split(':')
    const claims = {
      sub: id,
      client_id: id,
      aud: 'agent-notes',
      scope: 'notes:read',
      iat: 0,
      exp: 900,
    }
    void signer
      .sign({ ...claims, jti: String(randomInt(1e9)) })
      .then((token) => res.end(JSON.stringify({ access_token: token, token_type: 'Bearer' })))
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    name: 'careless',
    tokenPath: '/token',
    jwksPath: '/jwks',
    form: 'grant_type=client_credentials',
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
