import { readCredentialsFile } from '@deputy/client/node'
import { closeOnSignal, createLogger } from '@deputy/serve'
import { createResearchAgent } from './app.ts'
import { readConfig } from './config.ts'

try {
  const config = readConfig(process.env)
  const credentials = readCredentialsFile(config.credentialsFile)
  const logger = createLogger({ name: credentials.client_id, level: config.logLevel })
  const agent = await createResearchAgent({ ...config, credentials, logger })
  closeOnSignal(async () => agent.close(), logger, config.agentLimits)
} catch (error) {
  console.error(`research-agent: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
