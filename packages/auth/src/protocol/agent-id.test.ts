import { expect, test } from 'vitest'
import { AgentId } from './agent-id.ts'

test.each(['agent-billing-v2', 'a1', 'ab', 'auth-server', `a${'b'.repeat(63)}`])(
  'takes %j as the id of an agent',
  (id) => {
    expect(AgentId.safeParse(id).success).toBe(true)
  },
)

test.each([
  ['nothing', ''],
  ['one character', 'a'],
  ['65 characters', 'a'.repeat(65)],
  ['an upper-case letter', 'Agent-billing'],
  ['a digit first', '2agent'],
  ['a hyphen first', '-agent'],
  ['a hyphen last', 'agent-'],
  ['a doubled hyphen', 'agent--billing'],
  ['a space', 'agent billing'],
  ['a colon, which parts id and secret in Basic authentication', 'agent:billing'],
  ['a line break', 'agent\nbilling'],
  ['a line break at the end', 'agent-billing\n'],
  // Attack: an id that reads like another one to a person.
  ['a Cyrillic letter', 'аgent-billing'],
  ['a quote', 'agent"x'],
  ['a path', '../agent'],
  ['a number', 42],
])('refuses %s as the id of an agent', (_what, id) => {
  expect(AgentId.safeParse(id).success).toBe(false)
})
