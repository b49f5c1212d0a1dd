// Markdown to passages: paragraphs and list items of prose and rows of tables, each sentence with its lines. Code,
// HTML, front matter and definitions are not prose and are left out.
import type { Nodes, Paragraph, PhrasingContent, RootContent, Table } from 'mdast'
import { fromMarkdown, type Options } from 'mdast-util-from-markdown'
import { frontmatterFromMarkdown } from 'mdast-util-frontmatter'
import { gfmFromMarkdown } from 'mdast-util-gfm'
import { frontmatter } from 'micromark-extension-frontmatter'
import { gfm } from 'micromark-extension-gfm'
import type { Passage } from './document.ts'
import { parseText } from './parse-text.ts'
import { splitMarkdown } from './split-markdown.ts'
import { splitSentences, type LinedText } from './split-sentences.ts'
import { toTablePassages } from './table-rows.ts'

// GitHub's Markdown without its bare links, which would stay the same words: to look for one at every
// letter takes a third of the time.
const { flow = {}, text = {}, ...blocks } = gfm()
const marks = Object.entries(text).filter(([code]) => '[]~'.includes(toCharacter(code)))
const OPTIONS: Options = {
  extensions: [{ ...blocks, flow, text: Object.fromEntries(marks) }, frontmatter()],
  mdastExtensions: [
    gfmFromMarkdown().filter(({ transforms }) => transforms === undefined),
    frontmatterFromMarkdown(),
  ],
}

/** Marks of quotes, links, emphasis and code between two empty lines, at most. */
const MAX_MARKS = 2000

/**
 * Splits a Markdown document into passages, in order. Where it is more marks than anybody writes it is read as text: to find
 * which of them belong together takes the square of their number, minutes for a file made for it, and nested ones the stack.
 */
export function parseMarkdown(source: string): readonly Passage[] {
  if (source.split(/\n[^\S\n]*\n/).some(hasTooManyMarks)) return parseText(source)
  const passages: Passage[] = []
  const headings: string[] = []
  for (const { firstLine, text } of splitMarkdown(source)) {
    const found: Passage[] = []
    visit(fromMarkdown(text, OPTIONS).children, found, headings)
    for (const passage of found) passages.push(moveDown(passage, firstLine - 1))
  }
  return passages
}

function moveDown({ heading, sentences }: Passage, lines: number): Passage {
  return {
    heading,
    sentences: sentences.map((sentence) => ({
      ...sentence,
      startLine: sentence.startLine + lines,
      endLine: sentence.endLine + lines,
    })),
  }
}

function hasTooManyMarks(block: string): boolean {
  return block.length > MAX_MARKS && (block.match(/[>*_[`]/g)?.length ?? 0) > MAX_MARKS
}

/** micromark's tables are keyed by character code. */
function toCharacter(code: string): string {
  return String.fromCodePoint(Number(code))
}

function visit(nodes: readonly RootContent[], passages: Passage[], headings: string[]): void {
  for (const node of nodes) {
    if (node.type === 'heading') {
      headings.length = Math.min(headings.length, node.depth - 1)
      headings.push(toLine(node.children))
    } else if (node.type === 'table') {
      passages.push(...parseTable(node, toPath(headings)))
    } else if (node.type === 'paragraph') {
      const sentences = splitSentences(withoutAlert(toLinedText(node.children)))
      if (sentences.length > 0 && isProse(node)) {
        passages.push({ heading: toPath(headings), sentences })
      }
    } else if (node.type === 'list' || node.type === 'listItem' || node.type === 'blockquote') {
      visit(node.children, passages, headings)
    }
  }
}

function parseTable({ children }: Table, heading: string): readonly Passage[] {
  const [head, ...rows] = children.map(({ children: cells, position }) => ({
    cells: cells.map((cell) => toLine(cell.children)),
    startLine: position?.start.line ?? 1,
    endLine: position?.end.line ?? 1,
  }))
  return toTablePassages(heading, head?.cells ?? [], rows)
}

function toPath(headings: readonly string[]): string {
  return headings.filter((text) => text !== '').join(' › ')
}

function toLine(children: readonly PhrasingContent[]): string {
  return toLinedText(children).text.replace(/\s+/g, ' ').trim()
}

/** GitHub's `[!NOTE]` at the start of a quote is a mark, which Markdown knows nothing of. */
function withoutAlert({ lineAt, outline, text }: LinedText): LinedText {
  const at = /^\[!\w+\]\s*/.exec(text)?.[0].length ?? 0
  return { text: text.slice(at), outline: outline.slice(at), lineAt: lineAt.slice(at) }
}

/** Badges and bare lists of links are paragraphs to Markdown and noise to a reader. */
function isProse({ children }: Paragraph): boolean {
  const own = children.filter(({ type }) => type !== 'link' && type !== 'image' && type !== 'html')
  const words = toLinedText(own).text.match(/\p{L}{2,}/gu) ?? []
  return words.length >= 2
}

function toLinedText(children: readonly PhrasingContent[]): LinedText {
  let text = ''
  let outline = ''
  const lineAt: number[] = []
  const add = (value: string, firstLine: number, shape = value): void => {
    let line = firstLine
    for (let at = 0; at < value.length; at += 1) {
      lineAt.push(line)
      if (value[at] === '\n') line += 1
    }
    text += value
    outline += shape
  }
  const walk = (node: Nodes): void => {
    const line = node.position?.start.line ?? lineAt.at(-1) ?? 1
    if (node.type === 'text') add(node.value, line)
    else if (node.type === 'inlineCode') add(node.value, line, node.value.replace(/[^\n]/g, 'x'))
    else if (node.type === 'break') add('\n', line)
    else if ('children' in node) for (const child of node.children) walk(child)
  }
  for (const child of children) walk(child)
  return { text, outline, lineAt }
}
