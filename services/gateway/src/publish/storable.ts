/** Leaves room for the envelope that events travel in between services, whose parser is bounded as well. */
export const dataDepthMax = 60;

/**
 * Why this JSON value can't travel on, or undefined when it can: nested too deep, or with keys that reach an object's
 * prototype. Every JSON parser on the way refuses those, and would refuse the whole batch that an event rides in.
 */
export function whyNotStorable(value: unknown, depth = 0): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth >= dataDepthMax) return `data is nested deeper than ${dataDepthMax} levels`;
  if (Array.isArray(value)) return firstReason(value, depth);
  if (Object.hasOwn(value, '__proto__')) return 'data has a key __proto__';
  const { constructor } = value;
  if (Object.hasOwn(value, 'constructor') && isObject(constructor) && Object.hasOwn(constructor, 'prototype')) {
    return 'data has a key constructor.prototype';
  }
  return firstReason(Object.values(value), depth);
}

function firstReason(values: readonly unknown[], depth: number): string | undefined {
  for (const value of values) {
    const reason = whyNotStorable(value, depth + 1);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
