import { expect, test } from 'vitest'
import { formatTable } from './table.ts'

const table = [
  ['server', 'tokens/s'],
  ['bare', '12,345'],
  ['a longer name', '9'],
]

test('a table for a terminal has names to the left and numbers to the right', () => {
  expect(formatTable(table, 'text')).toBe(
    [
      'server         tokens/s',
      '-------------  --------',
      'bare             12,345',
      'a longer name         9',
      '',
    ].join('\n'),
  )
})

test('a table for a document is Markdown that a formatter leaves alone', () => {
  expect(formatTable(table, 'markdown')).toBe(
    [
      '| server        | tokens/s |',
      '| ------------- | -------: |',
      '| bare          |   12,345 |',
      '| a longer name |        9 |',
      '',
    ].join('\n'),
  )
})
