// HTML to passages: headings, paragraphs, list items, cells and quotes, each sentence with its lines in the
// source. Scripts, styles, navigation and code are left out. Parsed as browsers do it (parse5), never run.
import { parse, type DefaultTreeAdapterTypes } from 'parse5'
import type { Passage } from './document.ts'
import { splitSentences } from './split-sentences.ts'

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
  if (LEFT_OUT.has(element.tagName)) return
  const depth = /^h([1-6])$/.exec(element.tagName)?.[1]
  if (depth === undefined) return visit(element.childNodes, walk)
  const { headings } = walk
  headings.length = Math.min(headings.length, Number(depth) - 1)
  headings.push(toLinedText(element.childNodes).text.replaceAll(/\s+/g, ' ').trim())
}

function addPassage(nodes: readonly Node[], { headings, passages }: Walk): void {
  const { lineAt, text } = toLinedText(nodes)
  if (text.trim() === '') return
  const sentences = splitSentences({ text, lineAt, outline: text })
  const heading = headings.filter((one) => one !== undefined && one !== '').join(' › ')
  if (sentences.length > 0) passages.push({ heading, sentences })
}

function toLinedText(nodes: readonly Node[]): { text: string; lineAt: number[] } {
  let text = ''
  const lineAt: number[] = []
  const walk = (node: Node): void => {
    if (isElement(node)) {
      if (LEFT_OUT.has(node.tagName)) return
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
