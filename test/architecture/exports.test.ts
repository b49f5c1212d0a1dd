// What each package makes public, so that a change of it is a change somebody decided on.
import { expect, test } from 'vitest'

test.each([
  ['@deputy/auth', async () => import('@deputy/auth')],
  ['@deputy/auth/protocol', async () => import('@deputy/auth/protocol')],
  ['@deputy/auth/trpc', async () => import('@deputy/auth/trpc')],
  ['@deputy/client', async () => import('@deputy/client')],
  ['@deputy/client/ai', async () => import('@deputy/client/ai')],
  ['@deputy/client/node', async () => import('@deputy/client/node')],
  ['@deputy/client/redis', async () => import('@deputy/client/redis')],
  ['@deputy/serve', async () => import('@deputy/serve')],
  ['@deputy/storage', async () => import('@deputy/storage')],
  ['@deputy/contracts/billing', async () => import('@deputy/contracts/billing')],
  ['@deputy/contracts/documents', async () => import('@deputy/contracts/documents')],
  ['@deputy/contracts/trace', async () => import('@deputy/contracts/trace')],
  ['@deputy/contracts/research', async () => import('@deputy/contracts/research')],
  ['@deputy/testing', async () => import('@deputy/testing')],
  ['@deputy/auth-server', async () => import('@deputy/auth-server')],
])('%s', async (_name, load) => {
  const module: object = await load()

  expect(Object.keys(module).toSorted()).toMatchSnapshot()
})
