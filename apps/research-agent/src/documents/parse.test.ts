import { describe, expect, test } from 'vitest'
import type { Passage } from './document.ts'
import { parseMarkdown } from './parse-markdown.ts'
import { parseText } from './parse-text.ts'

/** `line[-line]: text` for each sentence. */
const show = (passages: readonly Passage[]): string[] =>
  passages.flatMap(({ sentences }) =>
    sentences.map(({ endLine, startLine, text }) =>
      startLine === endLine
        ? `${String(startLine)}: ${text}`
        : `${String(startLine)}-${String(endLine)}: ${text}`,
    ),
  )

describe('Markdown', () => {
  test('gives each sentence the lines that it stands on', () => {
    const source =
      '# Title\n\nFirst sentence. Second one\nruns over a line. Third.\n\nAnother paragraph here.\n'

    expect(show(parseMarkdown(source))).toEqual([
      '3: First sentence.',
      '3-4: Second one runs over a line.',
      '4: Third.',
      '6: Another paragraph here.',
    ])
  })

  test('keeps the headings above as context', () => {
    const source =
      '# A\n\nOne two.\n\n## B\n\nThree four.\n\n### C\n\nFive six.\n\n## D\n\nSeven eight.\n'

    expect(parseMarkdown(source).map(({ heading }) => heading)).toEqual([
      'A',
      'A › B',
      'A › B › C',
      'A › D',
    ])
  })

  // The attack: a file that a model was sent to fetch, and that stops the agent for minutes, or its index for good.
  test.each(['> ', '**a*', '['])('of nothing but %o is read as text', (marks) => {
    const source = `${marks.repeat(20_000)}\n\n# Cheese\n\nIt ripens for twelve weeks.\n`

    expect(show(parseMarkdown(source)).at(-1)).toBe('5: It ripens for twelve weeks.')
  })

  test('takes the marks away and keeps the words', () => {
    const source = 'Use **bold** and `code()` and [a link](https://example.com/x) and *so on*.\n'

    expect(show(parseMarkdown(source))).toEqual(['1: Use bold and code() and a link and so on.'])
  })

  test('does not take code, HTML, front matter or badges for prose', () => {
    const source = [
      '---',
      'title: Front matter. Not prose.',
      '---',
      '[![badge](https://example.com/a.svg)](https://example.com)',
      '',
      '```ts',
      'const code = "is no prose. At all."',
      '```',
      '',
      '<p>HTML is no prose.</p>',
      '',
      'But this is.',
    ].join('\n')

    expect(show(parseMarkdown(source))).toEqual(['12: But this is.'])
  })

  test('reads each row of a table as a sentence that can be read alone', () => {
    const source =
      '# Keys\n\n| Key | Life | |\n| --- | --- | --- |\n| `api` | 90 days | new |\n| **dpop** | | |\n'

    expect(parseMarkdown(source)).toEqual([
      {
        heading: 'Keys',
        sentences: [
          { text: 'Key: api | Life: 90 days | new', startLine: 5, endLine: 5 },
          { text: 'Key: dpop', startLine: 6, endLine: 6 },
        ],
      },
    ])
  })

  test('reads list items and quotes, each where it stands', () => {
    const source =
      '- First item of two.\n- Second item\n  over two lines.\n\n> A quoted sentence.\n'

    expect(show(parseMarkdown(source))).toEqual([
      '1: First item of two.',
      '2-3: Second item over two lines.',
      '5: A quoted sentence.',
    ])
  })

  test('takes the mark of an alert for a mark', () => {
    const source = '> [!NOTE]\n> Keys are kept apart.\n\n> [!TIP] Ask again.\n'

    expect(show(parseMarkdown(source))).toEqual(['2: Keys are kept apart.', '4: Ask again.'])
  })

  test('keeps a bare link and a mail address as words, and footnotes out', () => {
    const source =
      'Look at https://example.com/x or mail me@example.com ~~now~~ soon.[^1]\n\n[^1]: Not so.\n'

    expect(show(parseMarkdown(source))).toEqual([
      '1: Look at https://example.com/x or mail me@example.com now soon.',
    ])
  })

  test.each([
    ['Call it with `?a=1` or `x.y!` as you like. Then go on.', 2],
    ['Use a header, e.g. Authorization, or a key. Then go on.', 2],
    ['Version 1.2.3 is out. Is it good? It is!', 3],
  ])('does not end a sentence inside code or an abbreviation: %s', (source, count) => {
    expect(show(parseMarkdown(source))).toHaveLength(count)
  })

  test.each(['', '\n\n\n', '#', '```', '\u0000', '[', '- - - -', '<!--'])(
    'survives %j',
    (source) => {
      expect(show(parseMarkdown(source)).length).toBeLessThan(2)
    },
  )
})

describe('plain text', () => {
  test('is split into paragraphs, with lines', () => {
    expect(show(parseText('One two. Three\nfour.\r\n\r\nFive six.'))).toEqual([
      '1: One two.',
      '1-2: Three four.',
      '4: Five six.',
    ])
  })
})
