// What many documents are made of. One schema of each: an agent that starts waits until they are made.
import * as z from 'zod'

export const NonEmptyText = z.string().min(1)
export const OptionalText = z.string().optional()
export const Texts = z.array(z.string())
export const OptionalTexts = Texts.optional()
export const Url = z.url()
export const OptionalUrl = Url.optional()
