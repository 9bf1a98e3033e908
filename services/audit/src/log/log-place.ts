/** Where an epoch of the log lies: entries are numbered over all epochs, and leaf 0 of its tree is entry `firstSeq`. */
export interface LogPlace {
  /** Counts epochs from 0. */
  era: number;
  firstSeq: number;
}
