import { closeOnSignal, createLogger } from '@deputy/serve'
import { createInterface } from 'node:readline'
import { createAuthServer } from './app.ts'
import { runCommand } from './commands/run-command.ts'
import { readConfig } from './config.ts'

try {
  const config = readConfig(process.env)
  const words = process.argv.slice(2)
  if (words.length === 0) {
    const logger = createLogger({ name: 'auth-server', level: config.logLevel })
    const server = await createAuthServer({ ...config, logger })
    closeOnSignal(async () => server.close(), logger, config.agentLimits)
  } else {
    // Whoever reads it has had enough: `audit-export | head`.
    process.stdout.on('error', () => process.exit(1))
    await runCommand(words, {
      database: config.database,
      print: (text) => process.stdout.write(text),
      readLines: () => createInterface({ input: process.stdin }),
    })
  }
} catch (error) {
  console.error(`auth-server: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
