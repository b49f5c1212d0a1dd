// A long Markdown document in parts that are parsed one by one: the parser's time, and its memory, grow with the square of
// what it is given. A part begins where a block does, and has the definitions of the links that it refers to.
export type MarkdownPart = { readonly text: string; readonly firstLine: number }

/** Shorter documents are one part. In characters, as is what follows. */
const MIN_LENGTH = 32 * 1024
/** From here on a part ends with the next block. */
const PART_LENGTH = 8 * 1024

/** An opening or closing fence of code (CommonMark §4.5), which may stand in an item of a list, and on its first line. */
const FENCE = /^(?:\s*(?:[-*+]|\d{1,9}[.)])(?=\s))*\s*(`{3,}|~{3,})(.*)$/
/** Blocks of HTML that go on over empty lines (CommonMark §4.6): how a line begins one, and what ends it. */
const HTML = [
  { begin: /^ {0,3}<!--/, end: /-->/ },
  {
    begin: /^ {0,3}<(?:pre|script|style|textarea)(?:[\s>]|$)/i,
    end: /<\/(?:pre|script|style|textarea)>/i,
  },
  { begin: /^ {0,3}<\?/, end: /\?>/ },
  { begin: /^ {0,3}<!\[CDATA\[/, end: /\]\]>/ },
  { begin: /^ {0,3}<![a-z]/i, end: />/ },
] as const
/** An item of a list needs no empty line before it. */
const ITEM = /^[-*+] \S/
const DEFINITION = /^ {0,3}\[([^[\]\n]{1,200})\]:[ \t]*\S.*$/gm
const REFERENCE = /\[([^[\]\n]{1,200})\]/g

/** Splits a document. Every line is in one part, in order. */
export function splitMarkdown(source: string): readonly MarkdownPart[] {
  if (source.length < MIN_LENGTH) return [{ text: source, firstLine: 1 }]
  const definitions = new Map<string, string>()
  for (const [line, label = ''] of source.matchAll(DEFINITION)) {
    // The first one counts.
    if (!definitions.has(toKey(label))) definitions.set(toKey(label), line)
  }
  const parts: MarkdownPart[] = []
  let lines: string[] = []
  let length = 0
  let isLast: IsLast | undefined
  let firstLine = 1
  const flush = (nextLine: number): void => {
    parts.push({ text: withDefinitions(lines.join('\n'), definitions), firstLine })
    lines = []
    length = 0
    firstLine = nextLine
  }
  for (const [at, line] of source.split('\n').entries()) {
    const isBegun = ITEM.test(line) || (/^\S/.test(line) && lines.at(-1)?.trim() === '')
    if (length >= PART_LENGTH && isLast === undefined && isBegun) flush(at + 1)
    if (isLast === undefined) isLast = findOpened(line)
    else if (isLast(line)) isLast = undefined
    lines.push(line)
    length += line.length + 1
  }
  flush(1)
  return parts
}

/** Whether a line is the last one of what was opened. */
type IsLast = (line: string) => boolean

/** What a line opens that goes on over empty lines, told by its end. */
function findOpened(line: string): IsLast | undefined {
  const html = HTML.find(({ begin }) => begin.test(line))
  if (html !== undefined) {
    const { end } = html
    return end.test(line) ? undefined : (later) => end.test(later)
  }
  const [, marks, info = ''] = FENCE.exec(line) ?? []
  if (marks === undefined || (marks.startsWith('`') && info.includes('`'))) return undefined
  return (later) => {
    const [, closing = '', rest = ''] = FENCE.exec(later) ?? []
    return closing.startsWith(marks) && rest.trim() === ''
  }
}

/** Behind it, where they change no line. */
function withDefinitions(text: string, definitions: ReadonlyMap<string, string>): string {
  const used = new Set<string>()
  for (const [, label = ''] of text.matchAll(REFERENCE)) {
    const definition = definitions.get(toKey(label))
    if (definition !== undefined) used.add(definition)
  }
  return used.size === 0 ? text : `${text}\n\n${[...used].join('\n')}`
}

/** Labels are the same whatever their case and white space (CommonMark §4.7). */
function toKey(label: string): string {
  return label.trim().replaceAll(/\s+/g, ' ').toLowerCase()
}
