import { Command, InvalidArgumentError } from 'commander'

/** What the command line asks for. */
export type DemoOptions = {
  /** Run the job on a throw-away folder and exit, instead of staying up. */
  readonly demo: boolean
  /** One JSON object a line instead of text. */
  readonly json: boolean
  readonly stateDir: string
  /** 0 lets the system choose. */
  readonly ports: { readonly auth: number; readonly billing: number; readonly research: number }
  readonly documents: string | undefined
  readonly question: string
}

const DEFAULT_QUESTION =
  'How do I authenticate WebSocket connections with connectionParams in tRPC?'

/** Reads the command line. Exits with a clear sentence when it is wrong, as commander does. */
export function parseOptions(argv: readonly string[]): DemoOptions {
  const command = new Command('deputy')
    .description(
      'Starts the authorization server, the billing agent and the research agent, has them do one piece of work for each other, and shows who called whom and what was refused.',
    )
    .option(
      '--demo',
      'use a throw-away folder and free ports, and exit when the work is done',
      false,
    )
    .option('--json', 'print the transcript as JSON lines', false)
    .option('--state-dir <folder>', 'where databases and credentials are kept', '.deputy')
    .option(
      '--auth-port <port>',
      "the authorization server's port, 0 for any (default: 2884)",
      parsePort,
    )
    .option(
      '--billing-port <port>',
      "the billing agent's port, 0 for any (default: 2885)",
      parsePort,
    )
    .option(
      '--research-port <port>',
      "the research agent's port, 0 for any (default: 2886)",
      parsePort,
    )
    .option(
      '--documents <folder>',
      'Markdown, text, HTML, PDF and JSON to search instead of the installed packages',
    )
    .option('--question <text>', 'what to ask', DEFAULT_QUESTION)
    .parse(['node', 'deputy', ...argv])
  const options = command.opts<{
    demo: boolean
    json: boolean
    stateDir: string
    authPort?: number
    billingPort?: number
    researchPort?: number
    documents?: string
    question: string
  }>()
  const port = (given: number | undefined, usual: number): number =>
    given ?? (options.demo ? 0 : usual)
  return {
    demo: options.demo,
    json: options.json,
    stateDir: options.stateDir,
    ports: {
      auth: port(options.authPort, 2884),
      billing: port(options.billingPort, 2885),
      research: port(options.researchPort, 2886),
    },
    documents: options.documents,
    question: options.question,
  }
}

function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  throw new InvalidArgumentError('A port is a whole number from 0 to 65535.')
}
