/** Where a connection is in its life. Each of these counts towards the cap until the socket is really gone. */
export type SlotState = 'connecting' | 'validating' | 'idle' | 'leased' | 'resetting' | 'closing'

/** What a caller whose acquire timed out was waiting for. */
export type AcquirePhase = 'queue' | 'connect' | 'validate' | 'suspended'
