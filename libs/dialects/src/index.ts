export type * from './dialect.ts';
