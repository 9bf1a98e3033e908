export * from './federation-errors.ts';
export * from './federation-limits.ts';
export * from './federation-room.ts';
export * from './feed-epoch.ts';
export * from './feed-header.ts';
export * from './foreign-item.ts';
export * from './never-federated.ts';
export * from './site-document.ts';
