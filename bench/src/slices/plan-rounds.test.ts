import { expect, test } from 'vitest'
import { planRounds } from './plan-rounds.ts'

const names = ['alice', 'bob', 'carol', 'dave', 'mallory']

test('each round has each contestant once', () => {
  const rounds = planRounds(names, 23)

  expect(rounds).toHaveLength(23)
  for (const round of rounds) expect(round.toSorted()).toEqual(names)
})

test('each stands in each place equally often', () => {
  const rounds = planRounds(names, 20)

  for (const place of names.keys()) {
    for (const name of names) {
      expect(rounds.filter((round) => round[place] === name)).toHaveLength(4)
    }
  }
})

test('nobody always follows the same one', () => {
  const before = planRounds(names, 20).map((round) => round[round.indexOf('carol') - 1])

  expect(new Set(before)).toEqual(new Set([undefined, 'bob', 'dave']))
})
