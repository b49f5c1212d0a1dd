/** A PDF with these pages, each of these lines, as small as one can be. */
export function createPdf(pages: readonly (readonly string[])[]): Uint8Array {
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
