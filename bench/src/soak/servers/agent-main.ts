import { readFile } from 'node:fs/promises'
import { endWithParent, readPort, readSetting } from '../../calls/servers/settings.ts'
import { serveBenchAgent } from '../../ws/servers/create-agent.ts'
import { createSoakRouter, startTicker } from './soak-router.ts'

await serveBenchAgent({
  port: readPort(),
  jwks: await readFile(readSetting('BENCH_JWKS_FILE'), 'utf8'),
  router: createSoakRouter(startTicker(Number(readSetting('BENCH_TICK_MS')))),
})
endWithParent()
