import { describe, expect, test } from 'vitest'
import { createWaitingList, type WaitingList } from './waiting-list.ts'

const member = (name: string) => ({ name })
const namesOf = (list: WaitingList<{ readonly name: string }>): readonly string[] => {
  const names: string[] = []
  list.forEach(({ name }) => names.push(name))
  return names
}

describe('those that wait', () => {
  test('are called in the order in which they came', () => {
    const list = createWaitingList<{ readonly name: string }>()
    for (const name of ['a', 'b', 'c']) list.add(member(name))

    expect(namesOf(list)).toEqual(['a', 'b', 'c'])
  })

  test.each([
    { leaver: 0, left: ['b', 'c'] },
    { leaver: 1, left: ['a', 'c'] },
    { leaver: 2, left: ['a', 'b'] },
  ])('leave from wherever they stand: $leaver', ({ leaver, left }) => {
    const list = createWaitingList<{ readonly name: string }>()
    const leaves = ['a', 'b', 'c'].map((name) => list.add(member(name)))

    expect([leaves[leaver]?.(), leaves[leaver]?.()]).toEqual([true, false])

    expect(namesOf(list)).toEqual(left)
    list.add(member('d'))
    expect(namesOf(list)).toEqual([...left, 'd'])
  })

  test('leave one after the other until nobody is there', () => {
    const list = createWaitingList<object>()
    const leaves = [list.add({}), list.add({})]
    const before = list.isEmpty()

    for (const leave of leaves) leave()

    expect([before, list.isEmpty()]).toEqual([false, true])
  })

  test('are not called once they have left, also by the call of another', () => {
    const list = createWaitingList<{ readonly name: string }>()
    const called: string[] = []
    const leaves = ['a', 'b', 'c'].map((name) => list.add(member(name)))

    list.forEach(({ name }) => {
      called.push(name)
      if (name === 'a') leaves[1]?.()
    })

    expect(called).toEqual(['a', 'c'])
  })

  test('take themselves out while they are called, once', () => {
    const list = createWaitingList<{ readonly name: string }>()
    const leaveB = ['a', 'b'].map((name) => list.add(member(name)))[1]

    list.forEach((_, leave) => leave())

    expect([list.isEmpty(), leaveB?.()]).toEqual([true, false])
  })

  test('that come while others are called have to wait for the next time', () => {
    const list = createWaitingList<{ readonly name: string }>()
    const called: string[] = []
    list.add(member('a'))

    list.forEach(({ name }) => {
      called.push(name)
      list.add(member('late'))
    })

    expect(called).toEqual(['a'])
    expect(namesOf(list)).toEqual(['a', 'late'])
  })
})
