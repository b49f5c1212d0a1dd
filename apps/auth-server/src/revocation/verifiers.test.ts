import type { ReachAnswer, ReachQuestion } from '@deputy/auth/protocol'
import { describe, expect, test } from 'vitest'
import { createTimedClock } from '../../../../test/support/settable-clock.ts'
import { createVerifiers } from './verifiers.ts'

const DENIED = { grants: ['task-1'], agents: [] }
const USD = { currency: 'USD', amount: '0.35' }
const answerOf = (open: number): ReachAnswer => ({ open, held: [USD] })

function createHarness() {
  const clock = createTimedClock()
  const verifiers = createVerifiers({ clock })
  const heard: { readonly agentId: string; readonly question: ReachQuestion }[] = []
  const connect = (agentId: string) =>
    verifiers.connect(agentId, (question) => heard.push({ agentId, question }))
  const answerAll = (answer: ReachAnswer): void => {
    for (const { agentId, question } of heard) verifiers.answer(agentId, question.id, answer)
  }
  return { verifiers, heard, connect, answerAll, endTime: () => clock.advance(1) }
}

describe('asking how far a revocation would reach', () => {
  test('asks those that are connected, and answers once all have answered', async () => {
    const { answerAll, connect, heard, verifiers } = createHarness()
    connect('agent-bob')
    connect('agent-carol')
    connect('agent-dave')

    const asking = verifiers.ask(['agent-bob', 'agent-carol', 'agent-mallory'], DENIED)
    answerAll(answerOf(2))

    expect(await asking).toEqual(
      new Map([
        ['agent-bob', answerOf(2)],
        ['agent-carol', answerOf(2)],
      ]),
    )
    expect(heard).toMatchObject([
      { agentId: 'agent-bob', question: DENIED },
      { agentId: 'agent-carol', question: DENIED },
    ])
  })

  test('adds up the calls of the instances of one agent, which share what they hold', async () => {
    const { answerAll, connect, verifiers } = createHarness()
    connect('agent-bob')
    connect('agent-bob')

    const asking = verifiers.ask(['agent-bob'], DENIED)
    answerAll(answerOf(2))

    expect(await asking).toEqual(new Map([['agent-bob', { open: 4, held: [USD] }]]))
  })

  test('leaves out who does not say in time, also where one instance of several has not', async () => {
    const { connect, endTime, heard, verifiers } = createHarness()
    connect('agent-bob')
    connect('agent-carol')
    connect('agent-carol')

    const asking = verifiers.ask(['agent-bob', 'agent-carol'], DENIED)
    const id = heard[0]?.question.id ?? ''
    verifiers.answer('agent-carol', id, answerOf(1))
    verifiers.answer('agent-bob', id, answerOf(1))
    endTime()

    expect([...(await asking).keys()]).toEqual(['agent-bob'])
  })

  test('waits for nobody where nobody is connected', async () => {
    const { connect, verifiers } = createHarness()
    const connection = connect('agent-bob')
    connection[Symbol.dispose]()

    expect(await verifiers.ask(['agent-bob'], DENIED)).toEqual(new Map())
    expect(verifiers.isConnected('agent-bob')).toBe(false)
  })

  test('takes no answer of an agent that was not asked, nor a second one', async () => {
    // Attack: an agent that answers for another, or makes up for what it held back.
    const { connect, endTime, heard, verifiers } = createHarness()
    connect('agent-bob')
    connect('agent-carol')

    const asking = verifiers.ask(['agent-bob'], DENIED)
    const id = heard[0]?.question.id ?? ''
    verifiers.answer('agent-carol', id, answerOf(9))
    verifiers.answer('agent-bob', 'another-question', answerOf(9))
    verifiers.answer('agent-bob', id, answerOf(1))
    verifiers.answer('agent-bob', id, answerOf(9))
    endTime()

    expect(await asking).toEqual(new Map([['agent-bob', answerOf(1)]]))
  })
})
