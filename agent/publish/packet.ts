/** `expiryS`, `contentType`, `user` and `correlation` are conveniences of MQTT 5 and left out over 3.1.1. */
export interface PublishOptions {
  readonly retain: boolean;
  readonly contentType: string;
  readonly expiryS?: number;
  readonly user?: { readonly [name: string]: string };
  /** Correlation data of the request that this answers. */
  readonly correlation?: Uint8Array;
}

/** Length of the PUBLISH packet of MQTT 5 (3.3): the broker closes on a larger one than it takes, and the library sends it again. */
export const publishBytes = (topic: string, payloadBytes: number, options: PublishOptions): number => {
  const user = Object.entries(options.user ?? {});
  const properties =
    2 +
    text(options.contentType, 1) +
    (options.expiryS === undefined ? 0 : 5) +
    (options.correlation === undefined ? 0 : 3 + options.correlation.length) +
    user.reduce((sum, [name, value]) => sum + text(name, 1) + text(value, 0), 0);
  const rest = text(topic, 0) + 2 + variable(properties) + properties + payloadBytes;
  return 1 + variable(rest) + rest;
};

const text = (value: string, identifier: 0 | 1): number => identifier + 2 + Buffer.byteLength(value);

/** Length of a Variable Byte Integer (1.5.5). */
const variable = (value: number): number => (value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4);
