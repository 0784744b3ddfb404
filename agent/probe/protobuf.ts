import type { Field, Message } from '../drivers/driver.ts';
import type { JsonObject, JsonValue } from './capture.ts';

/** The wire format of Protocol Buffers (protobuf.dev, "Encoding"), as much of it as the answers of a miner need. */

/** Most bytes of a number of 64 bits. */
const MOST_VARINT = 10;
const TEXT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

type Holds = Field[1];

/**
 * Reads a message into an object with the names of `fields`; other fields are skipped, and one that is not sent has no
 * member. Undefined where the bytes are no such message: one that ends too early, a field of another kind, one that
 * stands twice and is no list. It goes no deeper than `fields` does.
 */
export const readMessage = (bytes: Uint8Array, fields: Message): JsonObject | undefined => {
  const found = new Map<string, JsonValue>();
  const wire = new Wire(bytes);
  while (!wire.isOver()) {
    const tag = wire.tag();
    if (tag === undefined) return undefined;
    const field = fields[tag.number];
    if (field === undefined) {
      if (!wire.skip(tag.kind)) return undefined;
      continue;
    }
    const [name, holds, many] = field;
    const value = readValue(wire, tag.kind, holds);
    const before = found.get(name);
    if (value === undefined || (before !== undefined && many === undefined)) return undefined;
    if (many === undefined) found.set(name, value);
    else (found.getOrInsertComputed(name, () => []) as JsonValue[]).push(value);
  }
  return Object.fromEntries(found);
};

const readValue = (wire: Wire, kind: number, holds: Holds): JsonValue | undefined => {
  if (holds === 'number') return kind === VARINT ? wire.number() : undefined;
  const bytes = kind === LENGTH ? wire.bytes() : undefined;
  if (bytes === undefined) return undefined;
  return holds === 'text' ? textOf(bytes) : readMessage(bytes, holds);
};

const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return TEXT.decode(bytes);
  } catch {
    return undefined;
  }
};

/** Writes a message of texts, by number of the field. */
export const writeMessage = (fields: readonly (readonly [number: number, text: string])[]): Uint8Array =>
  Buffer.concat(
    fields.flatMap(([number, text]) => {
      const bytes = Buffer.from(text, 'utf8');
      return [varint(number * 8 + LENGTH), varint(bytes.length), bytes];
    }),
  );

const varint = (number: number): Buffer => {
  const bytes: number[] = [];
  for (let left = number; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...bytes, left]);
    bytes.push((left % 128) + 128);
  }
};

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH = 2;
const FIXED_32 = 5;

/** Bytes of a message from a place on. Undefined or false: they are not there, or cannot be what is asked for. */
class Wire {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  isOver(): boolean {
    return this.#at === this.#bytes.length;
  }

  tag(): { readonly number: number; readonly kind: number } | undefined {
    const tag = this.number();
    // Numbers of fields have 29 bits, and none is 0.
    if (tag === undefined || tag < 8 || tag >= 2 ** 32) return undefined;
    return { number: Math.floor(tag / 8), kind: tag % 8 };
  }

  /** Undefined also for what JSON has no exact number for. */
  number(): number | undefined {
    const start = this.#at;
    if (!this.#skipVarint()) return undefined;
    let number = 0;
    for (let at = this.#at - 1; at >= start; at -= 1) number = number * 128 + ((this.#bytes[at] ?? 0) & 0x7f);
    return Number.isSafeInteger(number) ? number : undefined;
  }

  bytes(): Uint8Array | undefined {
    const length = this.number();
    const start = this.#at;
    return length !== undefined && this.#skipBytes(length) ? this.#bytes.subarray(start, this.#at) : undefined;
  }

  skip(kind: number): boolean {
    switch (kind) {
      case VARINT:
        return this.#skipVarint();
      case FIXED_64:
        return this.#skipBytes(8);
      case LENGTH:
        return this.bytes() !== undefined;
      case FIXED_32:
        return this.#skipBytes(4);
      // Groups are out of use, and the other kinds do not exist.
      default:
        return false;
    }
  }

  #skipBytes(length: number): boolean {
    if (length > this.#bytes.length - this.#at) return false;
    this.#at += length;
    return true;
  }

  #skipVarint(): boolean {
    for (let length = 1; length <= MOST_VARINT; length += 1) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) return false;
      this.#at += 1;
      if (byte < 128) return true;
    }
    return false;
  }
}
