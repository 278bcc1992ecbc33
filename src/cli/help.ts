/** Texts of --help. */
export const HELP = {
  rockpool: `Usage: rockpool <command> [options]

Commands
  demo             shows the pool at work on a real PostgreSQL

Options
  -h, --help       this, or the help of a command: rockpool demo --help
  -v, --version    the version of rockpool
`,
  demo: `Usage: rockpool demo [--url <url>] [--quick]

Starts a PostgreSQL of its own in a temporary folder and shows the pool at work on it: queries with and without a
pool, a crowd on few connections, connections that the server ends, leases that are never given back, and a clean
close. It takes about twenty seconds and leaves nothing behind, also after Ctrl-C.

Options
  --url <url>      use this database instead, e.g. postgres://user:password@host:5432/database. Nothing is created in
                   it, and only the demo's own connections are ended. What the URL leaves out comes from PGPASSWORD
                   and its kin.
  --quick          fewer queries and shorter steps, about five seconds
  -h, --help       this

Output that does not go to a terminal is plain lines. NO_COLOR switches colours off.
`,
} as const
