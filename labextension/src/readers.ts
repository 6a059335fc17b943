/**
 * Readers: functions that take a value of unknown shape and return a typed
 * one, or say where it is not what it should be.
 */

/** A function that checks `value`, which was found at `path`. */
export type Reader<T> = (value: unknown, path: string) => T;

/** What the server sent is not what it should be. */
export class PayloadError extends Error {
  constructor(path: string, wanted: string, value: unknown) {
    const found = value === null ? 'null' : typeof value;
    super(`${path} should be ${wanted}, not ${found}`);
    this.name = 'PayloadError';
  }
}

/** Reads a value of any kind, as it is. */
export const anything: Reader<unknown> = value => value ?? null;

/** Reads a string. */
export const text: Reader<string> = (value, path) => {
  if (typeof value !== 'string') {
    throw new PayloadError(path, 'a string', value);
  }
  return value;
};

/** Reads a finite number. */
export const number: Reader<number> = (value, path) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new PayloadError(path, 'a number', value);
  }
  return value;
};

/** Reads a boolean. */
export const flag: Reader<boolean> = (value, path) => {
  if (typeof value !== 'boolean') {
    throw new PayloadError(path, 'a boolean', value);
  }
  return value;
};

/** Reads an ISO 8601 time as milliseconds since the epoch. */
export const time: Reader<number> = (value, path) => {
  const read = Date.parse(text(value, path));
  if (Number.isNaN(read)) {
    throw new PayloadError(path, 'a time', value);
  }
  return read;
};

/** Reads one of some words. */
export function word<T extends string>(...words: T[]): Reader<T> {
  return (value, path) => {
    const found = words.find(candidate => candidate === value);
    if (found === undefined) {
      throw new PayloadError(path, `one of ${words.join(', ')}`, value);
    }
    return found;
  };
}

/** Reads what `reader` reads; null when it is null or absent. */
export function optional<T>(reader: Reader<T>): Reader<T | null> {
  return (value, path) =>
    value === null || value === undefined ? null : reader(value, path);
}

/** Reads a list. */
export function list<T>(reader: Reader<T>): Reader<T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) {
      throw new PayloadError(path, 'a list', value);
    }
    return value.map((item: unknown, index) =>
      reader(item, `${path}[${index}]`)
    );
  };
}

/** Reads an object as a list of its entries, in their order. */
export function entries<T>(reader: Reader<T>): Reader<[string, T][]> {
  return (value, path) =>
    Object.entries(properties(value, path)).map(([key, item]) => [
      key,
      reader(item, `${path}.${key}`)
    ]);
}

/** Reads an object; what the shape does not name is dropped. */
export function object<T extends object>(shape: {
  [K in keyof T]: Reader<T[K]>;
}): Reader<T> {
  return (value, path) => {
    const found = properties(value, path);
    const read: Partial<T> = {};
    for (const key of Object.keys(shape) as (keyof T & string)[]) {
      read[key] = shape[key](found[key], `${path}.${key}`);
    }
    return read as T;
  };
}

function properties(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new PayloadError(path, 'an object', value);
  }
  return value as Record<string, unknown>;
}
