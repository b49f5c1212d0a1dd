// A file system of a few mebibytes (tmpfs), which a test can fill: writes to it then fail as on any full disk.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { mkdir, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type SmallDisk = AsyncDisposable & {
  file(name: string): string
  /** Takes all the room that is left. */
  fill(): Promise<void>
  /** Gives it back. */
  makeRoom(): Promise<void>
}

function mount(folder: string, mebibytes: number): void {
  const size = `size=${String(mebibytes)}m`
  execFileSync('mount', ['-t', 'tmpfs', '-o', size, 'deputy-test', folder], { stdio: 'ignore' })
}

function unmount(folder: string): void {
  // Lazily: a file that is still open goes with its last user.
  execFileSync('umount', ['-l', folder], { stdio: 'ignore' })
}

/** Whether this process may mount one: on Linux, as root, where its surroundings allow it. */
export function isMountAllowed(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const folder = mkdtempSync(join(tmpdir(), 'deputy-mount-'))
  try {
    mount(folder, 1)
    unmount(folder)
    return true
  } catch {
    return false
  } finally {
    rmdirSync(folder)
  }
}

/** Mounts one in a folder that is made for it; unmounted when disposed of. */
export async function createSmallDisk(folder: string, mebibytes: number): Promise<SmallDisk> {
  await mkdir(folder)
  mount(folder, mebibytes)
  const file = (name: string): string => join(folder, name)
  const ballast = file('ballast')
  return {
    file,
    async fill() {
      await using stream = await open(ballast, 'w')
      // Large pieces first, then what is left: a piece that does not fit is written in part.
      for (let bytes = 1024 * 1024; bytes >= 1; bytes = Math.floor(bytes / 4)) {
        await writeUntilFull(stream, Buffer.alloc(bytes))
      }
    },
    makeRoom: async () => rm(ballast),
    async [Symbol.asyncDispose]() {
      unmount(folder)
      await Promise.resolve()
    },
  }
}

async function writeUntilFull(
  stream: Awaited<ReturnType<typeof open>>,
  piece: Buffer,
): Promise<void> {
  try {
    for (;;) if ((await stream.write(piece)).bytesWritten < piece.length) return
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
  }
}
