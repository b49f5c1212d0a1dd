import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeAgent } from '../../test-support/storage-adapters.ts'
import { checkAuthorizationDetails, parseAuthorizationDetails } from './authorization-details.ts'

const target = makeAgent({
  id: 'agent-bob',
  url: 'https://bob.example',
  authorizationDetailsTypes: ['budget', 'notebook'],
})

function readAuthorizationDetails(text: string, agent: typeof target) {
  const parsed = parseAuthorizationDetails(text)
  return parsed.ok ? checkAuthorizationDetails(parsed.value, agent) : parsed
}

describe('authorization_details', () => {
  test('are read as they were sent, members of their own types included', () => {
    const details = [
      { type: 'budget', currency: 'USD', amount: '5.00' },
      { type: 'notebook', actions: ['read'], locations: ['https://bob.example'], identifier: '7' },
    ]

    const read = readAuthorizationDetails(JSON.stringify(details), target)

    expect(read).toEqual({ ok: true, value: details })
  })

  test.each([
    ['a type that the target does not understand', '[{"type":"payment"}]'],
    ['an entry without a type', '[{"actions":["read"]}]'],
    ['one object in place of a list', '{"type":"budget"}'],
    ['an empty list', '[]'],
    ['no JSON', '[{"type":'],
    ['actions that are no list', '[{"type":"budget","actions":"read"}]'],
    ['another location', '[{"type":"budget","locations":["https://mallory.example"]}]'],
    ['more than travels in a token', `[{"type":"budget","note":"${'x'.repeat(4096)}"}]`],
    ['too many entries', `[${Array<string>(21).fill('{"type":"budget"}').join()}]`],
  ])('refuse %s', (_, text) => {
    const read = readAuthorizationDetails(text, target)

    expect(read).toMatchObject({
      ok: false,
      refusal: { code: 'invalid_authorization_details' },
    })
  })

  test('never throw, and never pass a type that nobody understands', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        const read = readAuthorizationDetails(text, target)
        const types = read.ok ? read.value.map(({ type }) => type) : []
        expect(types.every((type) => target.authorizationDetailsTypes.includes(type))).toBe(true)
      }),
    )
  })
})
