// The one folder where a running system's state lies: databases, logs, endpoints.json (no secrets) and
// credentials/<agent-id>.json, each readable by its owner only.
import type { CredentialsFile } from '@deputy/auth/protocol'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { readCredentialsFile } from '@deputy/client/node'
import { DemoError } from './demo-error.ts'

export type StateFolder = Disposable & {
  readonly path: string
  /** Whether it is removed in the end. */
  readonly isThrowAway: boolean
  file(name: string): string
  credentialsFile(agentId: string): string
  readCredentials(agentId: string): CredentialsFile | undefined
  writeCredentials(agentId: string, credentials: CredentialsFile): void
  writeEndpoints(endpoints: Readonly<Record<string, unknown>>): void
}

/** Opens the folder, made when missing. A throw-away one is removed when it is disposed of. */
export function openStateFolder(path: string | undefined): StateFolder {
  const isThrowAway = path === undefined
  const folder = isThrowAway ? mkdtempSync(join(tmpdir(), 'deputy-')) : resolve(path)
  const credentialsFile = (agentId: string): string =>
    join(folder, 'credentials', `${agentId}.json`)
  try {
    mkdirSync(join(folder, 'credentials'), { recursive: true, mode: 0o700 })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unknown'
    throw new DemoError(`The state folder ${folder} cannot be made: ${why}`)
  }
  return {
    path: folder,
    isThrowAway,
    file: (name) => join(folder, name),
    credentialsFile,
    readCredentials: (agentId) =>
      existsSync(credentialsFile(agentId))
        ? readCredentialsFile(credentialsFile(agentId))
        : undefined,
    writeCredentials: (agentId, credentials) => {
      writeJson(credentialsFile(agentId), credentials, 0o600)
    },
    writeEndpoints: (endpoints) => {
      writeJson(join(folder, 'endpoints.json'), endpoints, 0o644)
    },
    [Symbol.dispose]: () => {
      if (isThrowAway) rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Written beside and renamed, so that a reader never sees half a file. */
function writeJson(file: string, content: object, mode: number): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(content, undefined, 2)}\n`, { mode })
  renameSync(`${file}.new`, file)
}
