// Long Markdown says the same in parts as in one piece.
import { expect, test } from 'vitest'
import { parseMarkdown } from './parse-markdown.ts'

const chapter = (number: number): string =>
  `## Chapter ${String(number)}

The **tide** gate opens at [noon][Times] and \`closes\` at night.

- One item of the list
- Two items of the list

\`\`\`sh
echo no prose

# no heading either
\`\`\`

Ask [whoever is there](https://example.com) for more.
`
const CHAPTER_LINES = 15

/** What a chapter says, and on which of its lines. */
const SAID = [
  [3, 'The tide gate opens at noon and closes at night.'],
  [5, 'One item of the list'],
  [6, 'Two items of the list'],
  [14, 'Ask whoever is there for more.'],
] as const

test('with the lines, headings and links of the whole, in time that grows with its length', () => {
  // Seen to take half a minute for 200 kB.
  const count = 2000
  const chapters = Array.from({ length: count }, (_, at) => chapter(at)).join('\n')
  const source = `# Tides\n\n${chapters}\n[times]: https://example.com/times\n`

  const passages = parseMarkdown(source)

  expect(source.length).toBeGreaterThan(400_000)
  expect(passages).toEqual(
    Array.from({ length: count }, (_, at) =>
      SAID.map(([line, text]) => {
        const startLine = 2 + at * CHAPTER_LINES + line
        return {
          heading: `Tides › Chapter ${String(at)}`,
          sentences: [{ text, startLine, endLine: startLine }],
        }
      }),
    ).flat(),
  )
})
