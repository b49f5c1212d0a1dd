// The code that the README shows, compiled as a reader would compile it.
import { expect, test } from 'vitest'
import { compile, readExamples } from '../support/compile-examples.ts'

test('the examples of the README compile', { timeout: 60_000 }, async () => {
  const examples = await readExamples('README.md')

  const complaints = await compile(examples)

  expect(examples.map(({ name }) => name)).toEqual(['greeter.ts', 'caller.ts'])
  expect(complaints).toBe('')
})

test(
  'an example that called what is not there would not compile',
  { timeout: 60_000 },
  async () => {
    const examples = (await readExamples('README.md')).map(({ code, name }) => ({
      name,
      code: code.replace('client.greet.query', 'client.wave.query'),
    }))

    const complaints = await compile(examples)

    expect(complaints).toContain("Property 'wave' does not exist")
  },
)
