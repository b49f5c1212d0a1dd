import { expect, test } from 'vitest'
import { createId } from './create-id.ts'

const NOW = 2_000_000_000

test('an id is a UUID of version 7 that begins with the second in which it was made', () => {
  const id = createId(NOW)

  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(NOW * 1000)
})

test('ids stand in the order in which they were made, those of one second too', () => {
  const ids = [...Array.from({ length: 5000 }, () => createId(NOW + 1)), createId(NOW + 2)]

  expect(ids.toSorted()).toEqual(ids)
  expect(new Set(ids).size).toBe(ids.length)
})

test('a call that began in the second before gets an id behind those that were made meanwhile', () => {
  const ids = [createId(NOW + 4), createId(NOW + 3), createId(NOW + 4)]

  expect(ids.toSorted()).toEqual(ids)
})

test('a clock that was set back is believed', () => {
  createId(NOW + 1000)

  const id = createId(NOW + 5)

  expect(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toBe((NOW + 5) * 1000)
})

test('nobody can tell the next id from the last: steps are random', () => {
  const steps = Array.from({ length: 200 }, () => {
    const [before = '', after = ''] = [createId(NOW + 6), createId(NOW + 6)].map((id) =>
      id.slice(19).replace('-', ''),
    )
    return BigInt(`0x${after}`) - BigInt(`0x${before}`)
  })

  expect(new Set(steps).size).toBe(steps.length)
  expect(steps.filter((step) => step > 2n ** 40n).length).toBeGreaterThan(150)
})
