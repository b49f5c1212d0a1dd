// The small parts that lines of text are made of.
import { styleText } from 'node:util'

/** Minor units as an amount with two places: every currency of the demo has them. */
export function toAmount(minor: number): string {
  return (minor / 100).toFixed(2)
}

/** A number with its noun. */
export function count(number: number, noun: string): string {
  const plural = noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`
  return `${String(number)} ${number === 1 ? noun : plural}`
}

/** Breaks at spaces. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

export const strong = (text: string): string => styleText('bold', text)
export const dim = (text: string): string => styleText('dim', text)
export const good = (text: string): string => styleText('green', text)
export const bad = (text: string): string => styleText('red', text)
