// A store that is kept between runs is copied for each: a server under test writes into its own, and begins where all began.
import { constants } from 'node:fs'
import { copyFile, open } from 'node:fs/promises'

/** Copies the file of a database that nobody has open. */
export async function copyDatabase(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_FICLONE)
  // What is still to be written of the copy would be written during the run, at the cost of all.
  await using handle = await open(to, 'r+')
  await handle.sync()
}
