// HTML to passages: headings, paragraphs, list items, rows of tables and quotes, each sentence with its lines in the
// source. Scripts, styles, navigation and code are left out, and so is what a browser would not show: attack
// prevented, an instruction that no reader of the document ever sees. Parsed as browsers do it (parse5), never run.
import { parse, type DefaultTreeAdapterTypes } from 'parse5'
import type { Passage } from './document.ts'
import { splitSentences } from './split-sentences.ts'
import { toTablePassages, type TableRow } from './table-rows.ts'

type Node = DefaultTreeAdapterTypes.ChildNode
type Element = DefaultTreeAdapterTypes.Element

const LEFT_OUT = new Set(
  'head script style template noscript nav footer pre svg math iframe object form button select textarea'.split(
    ' ',
  ),
)
const INLINE = new Set(
  'a abbr b bdi bdo br cite code data dfn em i img kbd mark q rp rt ruby s samp small span strong sub sup time u var wbr'.split(
    ' ',
  ),
)

/** Splits an HTML document into passages, in order. */
export function parseHtml(source: string): readonly Passage[] {
  const document = parse(source, { sourceCodeLocationInfo: true })
  const passages: Passage[] = []
  const headings: string[] = []
  visit(document.childNodes, { passages, headings })
  return passages
}

type Walk = { readonly passages: Passage[]; readonly headings: string[] }

/** Runs of inline nodes are text; a block in between ends one. */
function visit(nodes: readonly Node[], walk: Walk): void {
  let run: Node[] = []
  const flush = (): void => {
    addPassage(run, walk)
    run = []
  }
  for (const node of nodes) {
    if (!isElement(node)) {
      if (node.nodeName === '#text') run.push(node)
    } else if (INLINE.has(node.tagName)) run.push(node)
    else {
      flush()
      visitBlock(node, walk)
    }
  }
  flush()
}

function visitBlock(element: Element, walk: Walk): void {
  if (isLeftOut(element)) return
  if (element.tagName === 'table') return addTable(element, walk)
  const depth = /^h([1-6])$/.exec(element.tagName)?.[1]
  if (depth === undefined) return visit(element.childNodes, walk)
  const { headings } = walk
  headings.length = Math.min(headings.length, Number(depth) - 1)
  headings.push(toLine(element))
}

function addPassage(nodes: readonly Node[], { headings, passages }: Walk): void {
  const { lineAt, text } = toLinedText(nodes)
  if (text.trim() === '') return
  const sentences = splitSentences({ text, lineAt, outline: text })
  const heading = toPath(headings)
  if (sentences.length > 0) passages.push({ heading, sentences })
}

/** A row is read whole, with whatever is in its cells. */
function addTable(table: Element, walk: Walk): void {
  const rows: (TableRow & { readonly isHead: boolean })[] = []
  const collect = (element: Element): void => {
    for (const node of element.childNodes) {
      if (!isElement(node) || isLeftOut(node)) continue
      if (node.tagName === 'tr') rows.push(toRow(node))
      else if (node.tagName === 'caption') addPassage(node.childNodes, walk)
      else collect(node)
    }
  }
  collect(table)
  const [first] = rows
  const head = first?.isHead === true ? first.cells : []
  const below = rows.filter(({ isHead }) => !isHead)
  walk.passages.push(...toTablePassages(toPath(walk.headings), head, below))
}

function toRow(row: Element): TableRow & { readonly isHead: boolean } {
  const cells = row.childNodes.filter(isElement).filter((cell) => !isLeftOut(cell))
  const { endLine, startLine } = row.sourceCodeLocation ?? { startLine: 1, endLine: 1 }
  return {
    cells: cells.map(toLine),
    isHead: cells.length > 0 && cells.every(({ tagName }) => tagName === 'th'),
    startLine,
    endLine,
  }
}

const HIDING_STYLE =
  /(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0*\.?0+(?:[;\s%]|$)|font-size\s*:\s*0(?![.\d]*[1-9]))/i

/** Whether it is no prose, or nobody sees it. What a style sheet hides is not known here. */
function isLeftOut({ attrs, tagName }: Element): boolean {
  if (LEFT_OUT.has(tagName)) return true
  return attrs.some(
    ({ name, value }) =>
      name === 'hidden' ||
      (name === 'aria-hidden' && value.toLowerCase() === 'true') ||
      (name === 'style' && HIDING_STYLE.test(value)),
  )
}

function toPath(headings: readonly (string | undefined)[]): string {
  return headings.filter((one) => one !== undefined && one !== '').join(' › ')
}

function toLine(element: Element): string {
  return toLinedText(element.childNodes).text.replaceAll(/\s+/g, ' ').trim()
}

function toLinedText(nodes: readonly Node[]): { text: string; lineAt: number[] } {
  let text = ''
  const lineAt: number[] = []
  const walk = (node: Node): void => {
    if (isElement(node)) {
      if (isLeftOut(node)) return
      if (node.tagName === 'br') add(' ', lineAt.at(-1) ?? 1)
      for (const child of node.childNodes) walk(child)
    } else if ('value' in node) add(node.value, node.sourceCodeLocation?.startLine ?? 1)
  }
  const add = (value: string, firstLine: number): void => {
    let line = firstLine
    for (const character of value.split('')) {
      lineAt.push(line)
      if (character === '\n') line += 1
    }
    text += value
  }
  for (const node of nodes) walk(node)
  return { text, lineAt }
}

function isElement(node: Node): node is Element {
  return 'tagName' in node
}
