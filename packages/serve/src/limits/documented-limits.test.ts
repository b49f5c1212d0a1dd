import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readAgentLimits } from './agent-limits.ts'

const page = readFileSync(new URL('../../../../docs/running.md', import.meta.url), 'utf8')
const [, section = ''] = page.split('## Limits\n')
const [ownPart = '', webSocketPart = ''] = section.split('And of `webSocket`:')

/** Names and defaults, as a table of the page has them. */
function readTable(text: string): Readonly<Record<string, string>> {
  const [table = ''] = text.split(/^## /m)
  const rows = table.matchAll(/^\| `(\w+)` +\| ([\w ]+?) +\|/gm)
  return Object.fromEntries([...rows].map(([, name = '', value = '']) => [name, value]))
}

test('the page names every limit and its default, and no other', () => {
  const { webSocket, ...own } = readAgentLimits()

  const asBodies = { ...webSocket, maxMessageBytes: 'as bodies', maxJsonDepth: 'as bodies' }
  const toText = (value: number | string): string =>
    value === Number.POSITIVE_INFINITY ? 'no limit' : String(value)
  const toTexts = (limits: Readonly<Record<string, number | string>>) =>
    Object.fromEntries(Object.entries(limits).map(([name, value]) => [name, toText(value)]))
  expect(readTable(ownPart)).toEqual(toTexts(own))
  expect(readTable(webSocketPart)).toEqual(toTexts(asBodies))
})
