import { fastifyTRPCPlugin } from '@trpc/server/adapters/fastify'
import { fastify } from 'fastify'
import { endWithParent, readPort } from '../servers/settings.ts'
import { router } from './trpc-router.ts'

const server = fastify()
await server.register(fastifyTRPCPlugin, { prefix: '/trpc', trpcOptions: { router } })
await server.listen({ port: readPort(), host: '127.0.0.1' })
endWithParent()
