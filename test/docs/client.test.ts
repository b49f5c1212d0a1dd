// The code that docs/client.md shows compiles, and nothing that the client exports is left out.
import * as client from '@deputy/client'
import * as node from '@deputy/client/node'
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { compile, readExamples } from '../support/compile-examples.ts'

test('the examples compile', { timeout: 60_000 }, async () => {
  const examples = await readExamples('docs/client.md')

  expect(examples.length).toBeGreaterThan(10)
  expect(await compile(examples)).toBe('')
})

test('whatever can be imported is on the page', async () => {
  const page = await readFile(new URL('../../docs/client.md', import.meta.url), 'utf8')

  const missing = [...Object.keys(client), ...Object.keys(node)].filter(
    (name) => !page.includes(name),
  )

  expect(missing).toEqual([])
})
