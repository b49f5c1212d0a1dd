/** Something that the person who started the demo can put right. The message is all that they see. */
export class DemoError extends Error {
  override readonly name = 'DemoError'
  readonly code = 'demo_failed'
}
