// JSON to passages: each text in it, under the names that lead to it. Comments and trailing commas are taken.
import { createScanner, parseTree, type Node } from 'jsonc-parser'
import type { Passage } from './document.ts'
import { splitSentences } from './split-sentences.ts'

/** A value with fewer words is a name or a number, not something that is said. */
const MIN_WORDS = 3

/** Deeper values are left out: the walk is as deep as the document. */
const MAX_DEPTH = 200

/** Splits a JSON document into passages, in order. Throws `SyntaxError` for one nested too deeply. */
export function parseJson(source: string): readonly Passage[] {
  if (findDepth(source) > MAX_DEPTH) throw new SyntaxError('the JSON is nested too deeply')
  const root = parseTree(source)
  const passages: Passage[] = []
  if (root === undefined) return passages
  const lineStarts = [0, ...[...source.matchAll(/\n/g)].map(({ index }) => index + 1)]
  const visit = (node: Node, path: readonly string[]): void => {
    if (node.type === 'string') {
      const line = findLine(lineStarts, node.offset)
      addText(passages, { text: String(node.value), line, heading: path.join(' › ') })
    } else if (node.type === 'property') {
      const [name, value] = node.children ?? []
      if (value !== undefined) visit(value, [...path, String(name?.value)])
    } else for (const child of node.children ?? []) visit(child, path)
  }
  visit(root, [])
  return passages
}

function addText(
  passages: Passage[],
  {
    heading,
    line,
    text,
  }: { readonly text: string; readonly line: number; readonly heading: string },
): void {
  if ((text.match(/\p{L}{2,}/gu) ?? []).length < MIN_WORDS) return
  // A text is on one line of the source, whatever line breaks it holds.
  const lineAt = Array.from({ length: text.length }, () => line)
  const sentences = splitSentences({ text, outline: text, lineAt })
  if (sentences.length > 0) passages.push({ heading, sentences })
}

function findLine(starts: readonly number[], offset: number): number {
  let [low, high] = [0, starts.length - 1]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((starts[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return low + 1
}

/** How deep it goes, without recursion: attack prevented, a document that exhausts the stack. */
function findDepth(source: string): number {
  const scanner = createScanner(source, true)
  let depth = 0
  let deepest = 0
  for (let token: number = scanner.scan(); token !== END_OF_FILE; token = scanner.scan()) {
    if (token === OPEN_BRACE || token === OPEN_BRACKET) depth += 1
    if (token === CLOSE_BRACE || token === CLOSE_BRACKET) depth -= 1
    deepest = Math.max(deepest, depth)
  }
  return deepest
}

// `SyntaxKind` of jsonc-parser, a const enum.
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET, END_OF_FILE] = [1, 2, 3, 4, 17]
