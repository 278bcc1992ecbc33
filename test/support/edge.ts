/**
 * How long one thing must take to end together with another, however fast the machine is: it is made longer when it was first,
 * and shorter when it was not. So a race stays as close as it can be, and comes out either way.
 */
export class Edge {
  ms = 3

  cameOut(how: 'first' | 'last'): void {
    this.ms = Math.min(1_000, Math.max(0.1, this.ms * (how === 'first' ? 1.2 : 0.8)))
  }
}
