import { createAgentSecret, SECRET_PREFIX } from '@deputy/auth/protocol'
import type { AgentSecretKind } from '@deputy/auth/protocol'
import { expect, test } from 'vitest'
import { CommandError, runCommand } from './run-command.ts'

/** Runs the command on these lines. */
async function check(lines: readonly string[]) {
  const printed: string[] = []
  const outcome = await runCommand(['secret-check'], {
    // Nothing may open it.
    database: { file: '/nowhere/at/all.sqlite' },
    print: (text) => printed.push(text),
    async *readLines() {
      yield* lines
    },
  }).catch((error: unknown) => error)
  return { outcome, printed: printed.join('') }
}

test.each(Object.keys(SECRET_PREFIX) as AgentSecretKind[])(
  'finds a genuine secret of the kind %s, says where, and does not repeat it',
  async (kind) => {
    const secret = createAgentSecret(kind)

    const { outcome, printed } = await check(['# settings', `TOKEN="${secret}" # do not share`])

    expect(printed).toMatch(/^2:8: [a-zA-Z ]+, the checksum is right\n$/)
    expect(outcome).toBeInstanceOf(CommandError)
    expect(String(outcome)).toContain('genuine by their checksum: 1')
    expect(printed + String(outcome)).not.toContain(secret.slice(-20))
  },
)

test('tells one that was made up, or mistyped, from a genuine one', async () => {
  const secret = createAgentSecret('apiKey')
  const mistyped = secret.slice(0, -1) + (secret.endsWith('0') ? '1' : '0')

  const { outcome, printed } = await check([`sk-agent-${'x'.repeat(49)} ${mistyped}`])

  expect(outcome).toBeUndefined()
  expect(printed).toMatch(
    /^1:1: API key, the checksum is wrong\n1:60: API key, .* wrong\nno secrets/,
  )
})

test('finds nothing in text without secrets', async () => {
  const { outcome, printed } = await check(['sk-agent-short', 'cs-agent-', ''])

  expect([outcome, printed]).toEqual([undefined, 'no secrets\n'])
})
