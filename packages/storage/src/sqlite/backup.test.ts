import { readFileSync } from 'node:fs'
import { chmod, copyFile, readdir, stat, symlink, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { createNotes, readTexts, type Tables } from '../../test-support/databases.ts'
import { backupDatabase, openDatabase, restoreDatabase, type Migrations } from '../index.ts'

const migrations: Migrations = { '001-notes': createNotes }
const newer: Migrations = { ...migrations, '002-more': { up: async () => {} } }

/** A folder with a database and names for files in it. */
async function createPlace() {
  const folder = await createTemporaryFolder()
  const file = folder.file('notes.sqlite')
  const open = async (known = migrations) => openDatabase<Tables>({ file, migrations: known })
  /** Opens the database only for as long as it takes to replace its notes. */
  async function write(...texts: string[]): Promise<void> {
    await using database = await open()
    await database.db.deleteFrom('note').execute()
    const rows = texts.map((text, index) => ({ id: index + 1, text }))
    await database.db.insertInto('note').values(rows).execute()
  }
  async function read(): Promise<string[]> {
    await using database = await open()
    return readTexts(database)
  }
  return {
    ...folder,
    file,
    backup: folder.file('backup.sqlite'),
    name: folder.file,
    open,
    read,
    write,
  }
}

describe('backupDatabase', () => {
  test('copies what is committed while a server writes, and nothing of what is not', async () => {
    await using place = await createPlace()
    await using database = await place.open()
    await database.db.insertInto('note').values({ id: 1, text: 'committed' }).execute()

    await database.commit(async (transaction) => {
      await transaction.insertInto('note').values({ id: 2, text: 'not yet' }).execute()
      backupDatabase(place.file, place.backup)
    })

    using copy = new DatabaseSync(place.backup, { readOnly: true })
    expect(copy.prepare('select text from note').all()).toEqual([{ text: 'committed' }])
  })

  test('makes a file that only its owner can read, and leaves nothing else behind', async () => {
    await using place = await createPlace()
    await place.write('secret')

    backupDatabase(place.file, place.backup)

    expect((await stat(place.backup)).mode & 0o777).toBe(0o600)
    expect((await readdir(place.path)).toSorted()).toEqual(['backup.sqlite', 'notes.sqlite'])
  })

  test('never writes over what is there, nor through a link', async () => {
    // Attack: a link under the name of tonight's backup, to a file that the attacker may read.
    await using place = await createPlace()
    await place.write('secret')
    await writeFile(place.name('mallorys'), 'old')
    await symlink(place.name('mallorys'), place.backup)

    expect(() => {
      backupDatabase(place.file, place.backup)
    }).toThrow(/cannot back up .*EEXIST/)
    expect(readFileSync(place.name('mallorys'), 'utf8')).toBe('old')
    expect((await readdir(place.path)).toSorted()).toEqual([
      'backup.sqlite',
      'mallorys',
      'notes.sqlite',
    ])
  })

  test('says so when there is no database', async () => {
    await using place = await createPlace()

    expect(() => {
      backupDatabase(place.file, place.backup)
    }).toThrow(/cannot back up .*ENOENT/)
    expect(await readdir(place.path)).toEqual([])
  })
})

describe('restoreDatabase', () => {
  test('brings back what was there, and drops what came later', async () => {
    await using place = await createPlace()
    await place.write('old')
    backupDatabase(place.file, place.backup)
    await place.write('new', 'newer')

    restoreDatabase({ ...place, migrations })

    expect(await place.read()).toEqual(['old'])
    expect((await stat(place.file)).mode & 0o777).toBe(0o600)
  })

  test('makes the database where there is none', async () => {
    await using place = await createPlace()
    await place.write('old')
    backupDatabase(place.file, place.backup)
    const file = place.name('elsewhere/notes.sqlite')

    restoreDatabase({ backup: place.backup, file, migrations })

    await using database = await openDatabase<Tables>({ file, migrations })
    expect(await readTexts(database)).toEqual(['old'])
  })

  test('plays nothing of the old log into what it restored', async () => {
    await using place = await createPlace()
    await place.write('old')
    backupDatabase(place.file, place.backup)
    await using crashed = await place.open()
    await crashed.db.insertInto('note').values({ id: 9, text: 'in the log' }).execute()
    const file = place.name('crashed.sqlite')
    // What a killed server leaves: the log is still to be read.
    for (const suffix of ['', '-wal']) await copyFile(place.file + suffix, file + suffix)

    restoreDatabase({ backup: place.backup, file, migrations })

    await using database = await openDatabase<Tables>({ file, migrations })
    expect(await readTexts(database)).toEqual(['old'])
  })

  test('takes the place of a file that is damaged beyond reading', async () => {
    await using place = await createPlace()
    await place.write('old')
    backupDatabase(place.file, place.backup)
    await writeFile(place.file, 'garbage '.repeat(1000))

    restoreDatabase({ ...place, migrations })

    expect(await place.read()).toEqual(['old'])
  })

  test('refuses while a server has the database open', async () => {
    await using place = await createPlace()
    await place.write('old')
    backupDatabase(place.file, place.backup)
    await using database = await place.open()
    await database.db.updateTable('note').set({ text: 'live' }).execute()

    expect(() => {
      restoreDatabase({ ...place, migrations })
    }).toThrow('a running server uses it: stop that first')
    await database.db.insertInto('note').values({ id: 2, text: 'undisturbed' }).execute()
    expect(await readTexts(database)).toEqual(['live', 'undisturbed'])
  })

  test.each([
    {
      what: 'a damaged backup',
      expected: /damaged|malformed/,
      async spoil(backup: string) {
        const bytes = readFileSync(backup)
        await writeFile(backup, bytes.fill(0x5a, 4096, 8192))
      },
    },
    {
      what: 'a file that is no database',
      expected: /not a database/,
      spoil: async (backup: string) => writeFile(backup, 'a shopping list. '.repeat(1000)),
    },
    {
      what: 'a backup cut short',
      expected: /damaged|malformed/,
      spoil: async (backup: string) => writeFile(backup, readFileSync(backup).subarray(0, -4096)),
    },
    {
      what: 'an empty file',
      expected: /not of this application/,
      spoil: async (backup: string) => writeFile(backup, ''),
    },
    {
      what: 'a database of another application',
      expected: /not of this application/,
      async spoil(backup: string) {
        using other = new DatabaseSync(backup)
        other.exec("update kysely_migration set name = '001-ledger'")
      },
    },
    {
      what: 'a backup whose rows point to nothing',
      expected: /points to one that is not there/,
      async spoil(backup: string) {
        using other = new DatabaseSync(backup, { enableForeignKeyConstraints: false })
        other.exec('create table a (id integer references note (id)); insert into a values (99)')
      },
    },
  ])('refuses $what and leaves the database as it is', async (spoiled) => {
    await using place = await createPlace()
    await place.write('old')
    backupDatabase(place.file, place.backup)
    await place.write('live')
    await chmod(place.backup, 0o600)
    await spoiled.spoil(place.backup)

    expect(() => {
      restoreDatabase({ ...place, migrations })
    }).toThrow(spoiled.expected)
    expect(await place.read()).toEqual(['live'])
    expect(await readdir(place.path)).toHaveLength(2)
  })

  test('refuses a backup of a newer version, and takes one of an older', async () => {
    await using place = await createPlace()
    await place.write('old')
    const older = place.name('older.sqlite')
    backupDatabase(place.file, older)
    await (await place.open(newer)).close()
    backupDatabase(place.file, place.backup)

    expect(() => {
      restoreDatabase({ ...place, migrations })
    }).toThrow('the backup is of a newer version: restore it with that one')
    restoreDatabase({ ...place, backup: older, migrations: newer })
    await using database = await place.open(newer)
    expect(await readTexts(database)).toEqual(['old'])
  })
})
