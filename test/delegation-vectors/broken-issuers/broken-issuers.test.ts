// The vectors against issuers that do one thing wrong: a vector that catches none of them says nothing.
import { expect, test } from 'vitest'
import { readVectors, readVectorWorld } from '../read-vectors.ts'
import { runVector } from '../run-vector.ts'
import { startIssuer } from './issuer.ts'
import { BREAKAGES, type Breakage } from './rules.ts'

const vectors = await readVectors()
const world = await readVectorWorld()

/** The vectors that an issuer fails. */
async function findFailed(broken?: Breakage): Promise<readonly string[]> {
  await using issuer = await startIssuer(world, broken)
  const outcomes = []
  for (const vector of vectors) outcomes.push(await runVector(issuer, vector))
  return outcomes.filter(({ faults }) => faults.length > 0).map(({ id }) => id)
}

test('an issuer that breaks nothing passes every vector', async () => {
  expect(await findFailed()).toEqual([])
})

/** Which vectors catch what. */
const CAUGHT_BY: Readonly<Record<Breakage, readonly string[]>> = {
  widening: ['scopes/widening', 'scopes/nothing-left', 'scopes/not-again'],
  everything_for_nothing: ['scopes/nothing-left', 'scopes/actor-may-not', 'scopes/not-again'],
  actor_unchecked: ['scopes/actor-may-not'],
  swapped: [
    'chain/delegation',
    'chain/nested-act',
    'chain/continuation',
    'chain/depth',
    'chain/cycle',
  ],
  impersonating: ['chain/delegation', 'chain/nested-act', 'chain/continuation', 'chain/depth'],
  flat_chain: ['chain/nested-act', 'chain/depth'],
  subject_client: [
    'chain/delegation',
    'chain/nested-act',
    'chain/continuation',
    'chain/depth',
    'chain/cycle',
    'expiry/not-beyond-parent',
    'scopes/actor-may-not',
    'scopes/not-again',
  ],
  spliced: ['presenting/splice', 'presenting/splice-lower'],
  forged: ['presenting/forged'],
  dead_extended: ['revocation/dead-chain'],
  dead_below: ['revocation/dead-below'],
  binding_dropped: ['binding/kept', 'binding/no-bearer', 'binding/own-key'],
  limit_dropped: ['limits/kept'],
  limit_widened: ['limits/larger'],
  unknown_ignored: ['limits/unknown-type', 'limits/unknown-member'],
  beyond_parent: ['expiry/not-beyond-parent'],
  unbounded: ['chain/depth'],
  cyclic: ['chain/cycle'],
  may_act_copied: ['presenting/may-act-not-copied'],
  unchecked_policy: ['chain/policy'],
  nests_itself: ['chain/continuation', 'chain/own-token'],
  path_forgotten: ['chain/path-extends', 'revocation/dead-below'],
  saml_taken: ['requests/subject-type'],
}

test.each(Object.entries(BREAKAGES))('one that %s (%s) is caught', async (name) => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the names of the record
  const broken = name as Breakage

  expect(await findFailed(broken)).toEqual(CAUGHT_BY[broken])
})
