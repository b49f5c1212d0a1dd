// Long Markdown says the same in parts as in one piece.
import { expect, test } from 'vitest'
import { parseMarkdown } from './parse-markdown.ts'

/** What has empty lines of its own, and lines that look like headings and prose, and says nothing. */
const SILENT = {
  'code between fences': ['```sh', 'echo no prose', '', '# no heading either', '```'],
  'code between bare fences': ['```', 'no prose', '', '# no heading', '', 'no prose', '```'],
  'code in an item of a list': [
    '- ```',
    '  no prose',
    '  ```',
    '',
    '```',
    'no prose',
    '',
    '# no heading',
    '```',
  ],
  'code in an item of a numbered list': [
    '1. ```',
    '   no prose',
    '   ```',
    '',
    '```',
    'no prose',
    '',
    '# no heading',
    '```',
  ],
  'a comment': ['<!--', 'No prose.', '', '# No heading.', '', 'No prose.', '-->'],
  'a comment with a fence in it': ['<!--', '```', '', '# No heading.', '', 'No prose.', '-->'],
  'a script': ['<script>', 'let a', '', '# no heading', '', 'let b', '</script>'],
}

/** A chapter, and what it says on which of its lines. */
const toChapter = (silent: readonly string[]) => ({
  lines: (number: number) => [
    `## Chapter ${String(number)}`,
    '',
    'The **tide** gate opens at [noon][Times] and `closes` at night.',
    '',
    '- One item of the list',
    '- Two items of the list',
    '',
    ...silent,
    '',
    'Ask [whoever is there](https://example.com) for more.',
    '',
  ],
  said: [
    [3, 'The tide gate opens at noon and closes at night.'],
    [5, 'One item of the list'],
    [6, 'Two items of the list'],
    [9 + silent.length, 'Ask whoever is there for more.'],
  ] as const,
})

const COUNT = 1000

test.each(Object.entries(SILENT))(
  'with the lines, headings and links of the whole, in time that grows with its length: %s',
  (_what, silent) => {
    // Seen to take half a minute for 200 kB.
    const { lines, said } = toChapter(silent)
    const chapters = Array.from({ length: COUNT }, (_, at) => lines(at)).flat()
    const source = ['# Tides', '', ...chapters, '', '[times]: https://example.com/times', ''].join(
      '\n',
    )

    const passages = parseMarkdown(source)

    expect(source.length).toBeGreaterThan(150_000)
    expect(passages).toEqual(
      Array.from({ length: COUNT }, (_, at) =>
        said.map(([line, text]) => {
          const startLine = 2 + at * lines(at).length + line
          return {
            heading: `Tides › Chapter ${String(at)}`,
            sentences: [{ text, startLine, endLine: startLine }],
          }
        }),
      ).flat(),
    )
  },
)
