import { endWithParent, readSetting } from '../../calls/servers/settings.ts'
import { serveOnSockets } from '../../ws/servers/serve-on-sockets.ts'
import { createSoakRouter, startTicker } from './soak-router.ts'

await serveOnSockets(createSoakRouter(startTicker(Number(readSetting('BENCH_TICK_MS')))))
endWithParent()
