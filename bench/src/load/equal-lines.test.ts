import { writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { createRunFolder } from '../process/run-folder.ts'
import { readEqualLines } from './equal-lines.ts'

test('a line is had by its number', async () => {
  await using folder = await createRunFolder()
  await writeFile(folder.file('lines'), 'one\ntwo\nsix\n')

  const lines = readEqualLines(folder.file('lines'))

  expect(lines.count).toBe(3)
  expect([lines.at(0), lines.at(1), lines.at(2)]).toEqual(['one', 'two', 'six'])
})

test.each([
  ['lines of different lengths', 'one\nthree\n'],
  ['lines that only add up', 'one\nfive\nno\n'],
  ['a last line without an end', 'one\ntwo'],
  ['nothing', ''],
])('a file with %s is refused', async (_, text) => {
  await using folder = await createRunFolder()
  await writeFile(folder.file('lines'), text)

  expect(() => readEqualLines(folder.file('lines'))).toThrow('lines of equal length')
})
