/** Something took longer than its `...TimeoutMillis`. An acquire's carries what the pool looked like as its `cause`. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError'
}
