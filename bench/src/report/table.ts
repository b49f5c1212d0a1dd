// Tables as text: for a terminal, and as Markdown for the documents.

/** The head of the table, then its rows, all of one length. */
export type Table = readonly (readonly string[])[]

/** `text` is parted by spaces, `markdown` by pipes. */
export type TableStyle = 'text' | 'markdown'

/** Lays the table out: the first column to the left, numbers to the right. */
export function formatTable(table: Table, style: TableStyle): string {
  const [head = []] = table
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  const lines = table.map((row) => {
    const cells = row.map((cell, column) => {
      const width = widths[column] ?? 0
      return column === 0 ? cell.padEnd(width) : cell.padStart(width)
    })
    return style === 'text' ? cells.join('  ').trimEnd() : `| ${cells.join(' | ')} |`
  })
  const ruled = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  )
  const rule =
    style === 'text'
      ? widths.map((width) => '-'.repeat(width)).join('  ')
      : `| ${ruled.join(' | ')} |`
  return `${[...lines.slice(0, 1), rule, ...lines.slice(1)].join('\n')}\n`
}
