import { readdir, readFile } from 'node:fs/promises'
import * as z from 'zod'
import { Vector, VectorWorld } from './vector.ts'

const read = async (name: string): Promise<unknown> =>
  JSON.parse(await readFile(new URL(name, import.meta.url), 'utf8'))

/** Every vector, in the order of the files. */
export async function readVectors(): Promise<readonly Vector[]> {
  const names = (await readdir(new URL('vectors/', import.meta.url))).toSorted()
  const files = await Promise.all(names.map(async (name) => read(`vectors/${name}`)))
  return files.flatMap((file) => z.array(Vector).parse(file))
}

/** The world that they need. */
export async function readVectorWorld(): Promise<VectorWorld> {
  return VectorWorld.parse(await read('world.json'))
}
