import { createHTTPServer } from '@trpc/server/adapters/standalone'
import { endWithParent, readPort } from '../servers/settings.ts'
import { router } from './trpc-router.ts'

createHTTPServer({ router, basePath: '/trpc/' }).listen(readPort(), '127.0.0.1')
endWithParent()
