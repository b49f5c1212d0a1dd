// Text that somebody else wrote, as text: nothing in it is followed, loaded or unseen by who reads it.

/** Marks that change the direction of text, are not seen, or carry text that is not seen (Unicode tags). */
const UNSEEN =
  /[\u00AD\u061C\u180E\u200B-\u200F\u202A-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB]|[\u{E0000}-\u{E007F}]|[\u{FE00}-\u{FE0F}]|[\u{E0100}-\u{E01EF}]/gu

/** Links and images of Markdown: what they say stays, where they lead does not. */
const LINKS =
  /!?\[([^\]]{0,400})\]\([^)\s]{0,2000}(?:\s[^)]{0,400})?\)|<((?:https?|data|javascript|mailto):[^>\s]{0,2000})>/gi
const TAGS = /<\/?[a-z][^<>]{0,2000}>/gi

/** Takes out what is not seen. */
export function withoutUnseen(text: string): string {
  return text.replaceAll(UNSEEN, '')
}

/**
 * What a model says, as a reader sees it. Attack prevented: an image in the answer whose address carries away what the
 * model has read, loaded by whatever shows the brief.
 */
export function toPlainText(text: string): string {
  return withoutUnseen(text)
    .replaceAll(
      LINKS,
      (_, said: string | undefined, address: string | undefined) => said ?? address ?? '',
    )
    .replaceAll(TAGS, '')
}
