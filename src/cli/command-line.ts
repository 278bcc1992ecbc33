import { parseArgs } from 'node:util'

/** The user asked for something that does not exist: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export type Command =
  | { readonly name: 'help'; readonly topic: 'rockpool' | 'demo' }
  | { readonly name: 'version' }
  | { readonly name: 'demo'; readonly url: string | undefined; readonly quick: boolean }

/** @throws UsageError */
export function readCommandLine(args: readonly string[]): Command {
  const { values, positionals } = parse(args)
  const [name, ...rest] = positionals
  if (values.version) return { name: 'version' }
  if (name === undefined || name === 'help') {
    if (name === undefined && !values.help) throw new UsageError('which command?')
    return { name: 'help', topic: rest[0] === 'demo' ? 'demo' : 'rockpool' }
  }
  if (name !== 'demo') throw new UsageError(`unknown command ${JSON.stringify(name)}`)
  if (values.help) return { name: 'help', topic: 'demo' }
  // Not shown: it may be a URL with a password in it.
  if (rest.length > 0) throw new UsageError('demo takes no argument; a database is given as --url <url>')
  return { name: 'demo', url: values.url, quick: values.quick }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        url: { type: 'string' },
        quick: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        version: { type: 'boolean', short: 'v', default: false },
      },
    })
  } catch (error) {
    throw new UsageError(problemOf(error as NodeJS.ErrnoException))
  }
}

/** Node's explanation goes on about escaping; its first sentence is what helps. */
function problemOf({ code, message }: NodeJS.ErrnoException): string {
  const option = /'(-[^' ]*)/.exec(message)?.[1]?.replace(/=.*/, '')
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') return `unknown option ${option}`
  if (option === '--url') return '--url needs a value, such as postgres://user:password@host:5432/database'
  return option === undefined ? message : `${option} takes no value`
}
