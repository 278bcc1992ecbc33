/**
 * Where the engine asks before it opens a connection, so that several pools can share one budget. `take` is called once
 * for each connect, `give` once when its socket is gone.
 */
export interface Permits {
  /** False: no connection now. `onFree` tells when to ask again. */
  take(): boolean
  /** Gives a permit back that `take` has granted. */
  give(): void
  /** Registers what to call when a permit became free after `take` had refused one. */
  onFree(wake: () => void): void
  /** Registers what to call when another pool needs a permit: it closes one idle connection, and says whether it had one. */
  onWanted(retireOneIdle: () => boolean): void
}
