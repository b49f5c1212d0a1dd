// The code that docs/running.md shows compiles.
import { expect, test } from 'vitest'
import { compile, readExamples } from '../support/compile-examples.ts'

test('the examples compile', { timeout: 60_000 }, async () => {
  const examples = await readExamples('docs/running.md')

  expect(examples.map(({ name }) => name)).toEqual(['register.ts'])
  expect(await compile(examples)).toBe('')
})
