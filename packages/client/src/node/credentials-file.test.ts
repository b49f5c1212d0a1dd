import { writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { ClientError } from '../error/client-error.ts'
import { readCredentialsFile } from './index.ts'

const good = {
  issuer: 'https://issuer.example',
  client_id: 'agent-alice-v1',
  client_secret: 'cs-agent-hunter2',
  scope: 'billing:read',
}

describe('readCredentialsFile', () => {
  test('reads what a caller needs and leaves the rest', async () => {
    await using folder = await createTemporaryFolder()
    const path = folder.file('credentials.json')
    await writeFile(path, JSON.stringify({ ...good, comment: 'ours' }))

    expect(readCredentialsFile(path)).toEqual(good)
  })

  test.each([
    ['is not JSON', 'cs-agent-hunter2', 'it is not JSON'],
    ['is empty', '', 'it is not JSON'],
    ['is JSON cut short', '{"client_secret":"cs-agent-hunter2', 'it is not JSON'],
    ['is a list', '["cs-agent-hunter2"]', 'missing or wrong: the whole'],
    ['is null', 'null', 'missing or wrong: the whole'],
    [
      'lacks two members',
      JSON.stringify({ issuer: good.issuer, client_secret: good.client_secret }),
      'missing or wrong: client_id, scope',
    ],
    [
      'has an issuer that is no URL',
      JSON.stringify({ ...good, issuer: 'cs-agent-hunter2' }),
      'missing or wrong: issuer',
    ],
  ])('names the file and the fault when it %s, and never its content', async (_w, text, fault) => {
    // Attack prevented: a parser's message that quotes the secret into a log.
    await using folder = await createTemporaryFolder()
    const path = folder.file('credentials.json')
    await writeFile(path, text)

    const read = () => readCredentialsFile(path)

    expect(read).toThrow(ClientError)
    expect(read).toThrow(
      expect.objectContaining({
        code: 'credentials_file_invalid',
        message: `the credentials file ${path} is of no use: ${fault}`,
      }),
    )
    expect(read).not.toThrow(expect.objectContaining({ cause: expect.anything() as unknown }))
  })

  test('says that a file cannot be read when there is none, or a folder in its place', async () => {
    await using folder = await createTemporaryFolder()

    for (const path of [folder.path, folder.file('nothing.json')]) {
      expect(() => readCredentialsFile(path)).toThrow(
        `the credentials file ${path} is of no use: it cannot be read`,
      )
    }
  })
})
