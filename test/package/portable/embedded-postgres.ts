/** The server that whoever runs the program has started: the runtime under test need not be able to. */
export async function startEmbeddedPostgres() {
  const address = new URL(process.env.ROCKPOOL_PG_URL ?? '')
  return {
    host: address.hostname,
    port: Number(address.port),
    user: address.username,
    url: () => address.href,
    close: async () => undefined,
  }
}
