// What the server's program can do beside serving. One word, then its argument.
import { existsSync } from 'node:fs'
import { backupDatabase, restoreDatabase, type DatabaseLocation } from '@deputy/storage'
import { findSecrets } from './find-secrets.ts'
import { exportTrail, verifyExport } from '../audit/export-trail.ts'
import { SYSTEM_OWNER_ID } from '../owners/owner.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import { migrations } from '../storage/migrations.ts'
import { openStorage } from '../storage/open-storage.ts'

/** What a command works with. */
export type CommandContext = {
  readonly database: DatabaseLocation
  /** Takes what a command answers, a line or more at a time. */
  readonly print: (text: string) => void
  /** Gives the lines of standard input. */
  readonly readLines: () => AsyncIterable<string>
}

/** A command was not one, or could not be carried out. The message says what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly code = 'command_failed'
}

const USAGE = `commands:
  (none)            serve
  backup <target>   copy the SQLite database into a new file, while servers run
  restore <backup>  put a backup in the place of the SQLite database; stop the server first
  audit-export      write the audit trail as JSON lines
  audit-check       verify JSON lines of standard input that audit-export wrote
  secret-check      say where standard input has secrets of Deputy; works offline`

const EXPORTED = {
  event: 'audit.exported',
  outcome: 'success',
  ownerId: SYSTEM_OWNER_ID,
} as const

type Command = (argument: string, context: CommandContext) => Promise<void>

const COMMANDS: Readonly<Record<string, Command>> = {
  async backup(target, { database, print }) {
    backupDatabase(requireFile(database), requireArgument(target, 'backup <target>'))
    print(`${target} holds the database. The key that seals its signing keys is not in it.\n`)
  },

  async restore(backup, { database, print }) {
    const file = requireFile(database)
    restoreDatabase({ backup: requireArgument(backup, 'restore <backup>'), file, migrations })
    await using storage = await openStorage(database)
    // Attack prevented: the feed counts on from the backup, and an agent that has heard more than that takes the next
    // numbers for those that it knows: what they revoke is never told to it.
    await storage.revocations.renameFeed()
    print(
      `${file} is what ${backup} holds. It needs the key that its signing keys are sealed under.\n`,
    )
  },

  async 'audit-export'(_, { database, print }) {
    // Opening would make a file that is missing, and an empty trail of it.
    if (database.file !== undefined && !existsSync(database.file)) {
      throw new CommandError(`there is no database ${database.file}: set DEPUTY_DATABASE_FILE`)
    }
    await using storage = await openStorage(database)
    // First, so that the export has it itself. Who it is, the machine knows: commands have no identity here.
    await storage.audit.record(EXPORTED)
    const lines = exportTrail(storage.audit, { within: EVERY_OWNER, filter: {} })
    for await (const line of lines) print(line)
  },

  async 'audit-check'(_, { print, readLines }) {
    const verified = await verifyExport(readLines())
    if (!verified.ok) {
      throw new CommandError(`the audit trail is broken: ${JSON.stringify(verified.refusal)}`)
    }
    print(`${String(verified.value.entries)} entries are as they were written\n`)
  },

  async 'secret-check'(_, { print, readLines }) {
    const { genuine, mistyped } = await findSecrets(readLines(), print)
    if (genuine > 0) {
      throw new CommandError(
        `genuine by their checksum: ${String(genuine)}. Deactivate each where it was made, and make another`,
      )
    }
    print(`no secrets${mistyped > 0 ? ': the checksums of those above are wrong' : ''}\n`)
  },
}

/** Carries out a command. Rejects with an error whose message says what was wrong. */
export async function runCommand(words: readonly string[], context: CommandContext): Promise<void> {
  const [name = '', argument = ''] = words
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command === undefined) throw new CommandError(`there is no command ${name}\n${USAGE}`)
  await command(argument, context)
}

function requireFile({ file }: DatabaseLocation): string {
  if (file !== undefined) return file
  throw new CommandError('this is for SQLite: back up PostgreSQL with its own tools (pg_dump)')
}

function requireArgument(argument: string, usage: string): string {
  if (argument === '') throw new CommandError(`name the file: ${usage}`)
  return argument
}
