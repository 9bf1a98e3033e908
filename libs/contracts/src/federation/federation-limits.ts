/** Every bound of Boardwire Federation 1 in one place. Sizes in bytes, times in milliseconds. */
export const federationLimits = {
  headerBytesMax: 4 * 1024,
  itemBytesMax: 64 * 1024,
  batchItemsMax: 256,
  /** Decoded. */
  batchBytesMax: 1024 * 1024,
  inflationMax: 20,
  membersMax: 64,
  streamsPerPeerMax: 4,
  pushesPerPeerMax: 2,
  newPeerEventsPerSecond: 50,
  newPeerEventsBurst: 500,
  trustedPeerFactor: 100,
  outboundBufferBytesMax: 4 * 1024 * 1024,
  viaMax: 8,
  jsonDepthMax: 16,
  /** A hop signature holds at most so long. */
  signatureLifetimeMs: 60_000,
  clockSkewMs: 300_000,
  nonceKeptMs: 15 * 60_000,
  heartbeatMs: 15_000,
  invitationLifetimeMs: 24 * 3_600_000,
  documentBytesMax: 64 * 1024,
  /** A request to a witness, decoded. */
  witnessBodyBytesMax: 64 * 1024,
  checkpointBytesMax: 8 * 1024,
  /** Logs that one site may bring to a witness: each epoch of a log is one. */
  witnessedLogsMax: 64,
  witnessPerSecond: 1,
  witnessBurst: 8,
} as const;
