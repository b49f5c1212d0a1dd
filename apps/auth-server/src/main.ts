import { closeOnSignal, createLogger } from '@deputy/serve'
import { createAuthServer } from './app.ts'
import { readConfig } from './config.ts'

try {
  const config = readConfig(process.env)
  const logger = createLogger({ name: 'auth-server', level: config.logLevel })
  const server = await createAuthServer({ ...config, logger })
  closeOnSignal(async () => server.close(), logger)
} catch (error) {
  console.error(`auth-server: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
