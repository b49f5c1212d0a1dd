// HTML, JSON and PDF to sentences that know their lines, and what none of them may do to the process.
import { describe, expect, test } from 'vitest'
import { parseHtml } from './parse-html.ts'
import { parseJson } from './parse-json.ts'
import { parsePdfPages, readPdfPages } from './parse-pdf.ts'

/** A PDF with these pages, each of these lines, as small as one can be. */
function createPdf(pages: readonly (readonly string[])[]): Uint8Array {
  const objects: string[] = []
  const kids = pages.map((_, at) => `${String(4 + at * 2)} 0 R`).join(' ')
  objects.push('<< /Type /Catalog /Pages 2 0 R >>')
  objects.push(`<< /Type /Pages /Kids [${kids}] /Count ${String(pages.length)} >>`)
  objects.push('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>')
  for (const [at, lines] of pages.entries()) {
    const shown = lines.map((line) => `(${line}) Tj 0 -20 Td`).join(' ')
    const content = `BT /F1 12 Tf 50 700 Td ${shown} ET`
    const resources = '/Resources << /Font << /F1 3 0 R >> >> /MediaBox [0 0 612 792]'
    objects.push(
      `<< /Type /Page /Parent 2 0 R ${resources} /Contents ${String(5 + at * 2)} 0 R >>`,
      `<< /Length ${String(content.length)} >>\nstream\n${content}\nendstream`,
    )
  }
  let pdf = '%PDF-1.4\n'
  const offsets = objects.map((object, at) => {
    const offset = pdf.length
    pdf += `${String(at + 1)} 0 obj\n${object}\nendobj\n`
    return offset
  })
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  const size = String(objects.length + 1)
  pdf += `xref\n0 ${size}\n0000000000 65535 f \n${table}`
  pdf += `trailer << /Size ${size} /Root 1 0 R >>\nstartxref\n${String(pdf.indexOf('xref'))}\n%%EOF`
  return new TextEncoder().encode(pdf)
}

describe('HTML', () => {
  test('is split into sentences with lines and headings; scripts and navigation are left out', () => {
    const source = [
      '<html><head><title>Not this</title><script>var keys = "are code"</script></head>',
      '<body><nav>Home Keys About</nav>',
      '<h1>Keys</h1>',
      '<p>Keys are <b>rotated</b> every',
      'thirty days. Old keys stay.</p>',
      '<h2>Loss</h2><ul><li>A lost key is revoked at once.</li></ul>',
    ].join('\n')

    expect(parseHtml(source)).toEqual([
      {
        heading: 'Keys',
        sentences: [
          { text: 'Keys are rotated every thirty days.', startLine: 4, endLine: 5 },
          { text: 'Old keys stay.', startLine: 5, endLine: 5 },
        ],
      },
      {
        heading: 'Keys › Loss',
        sentences: [{ text: 'A lost key is revoked at once.', startLine: 6, endLine: 6 }],
      },
    ])
  })
})

describe('JSON', () => {
  test('gives its texts with their lines, under the names that lead to them', () => {
    const source = '{\n  "rules": [\n    { "why": "Keys are rotated often." }\n  ],\n  "id": "x"\n}'

    expect(parseJson(source)).toEqual([
      {
        heading: 'rules › why',
        sentences: [{ text: 'Keys are rotated often.', startLine: 3, endLine: 3 }],
      },
    ])
  })

  test('that is nested a hundred thousand deep is refused and exhausts nothing', () => {
    // Attack: a document that is read by recursion ends the process.
    expect(() => parseJson('['.repeat(100_000))).toThrow('the JSON is nested too deeply')
  })

  test('that is broken gives what can be read', () => {
    expect(parseJson('{"a": "Keys are rotated often.", ')).toHaveLength(1)
  })
})

describe('PDF', () => {
  test('gives sentences with their page and the lines of that page', async () => {
    const pdf = createPdf([
      ['A report.'],
      ['Keys are rotated', 'every thirty days.', 'Old keys stay.'],
    ])

    const passages = parsePdfPages(await readPdfPages(pdf))

    expect(passages.flatMap(({ sentences }) => sentences)).toEqual([
      { text: 'A report.', page: 1, startLine: 1, endLine: 1 },
      { text: 'Keys are rotated every thirty days.', page: 2, startLine: 1, endLine: 2 },
      { text: 'Old keys stay.', page: 2, startLine: 3, endLine: 3 },
    ])
  })

  test.each(['', 'not a PDF', '%PDF-1.4\ngarbage'])('that is %j is refused', async (text) => {
    await expect(readPdfPages(new TextEncoder().encode(text))).rejects.toThrow(/PDF/)
  })
})
