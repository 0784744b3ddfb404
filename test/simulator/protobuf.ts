/**
 * Answers of gRPC as bytes, from the JSON documents of the specimens. The numbers of the fields are written out here a
 * second time, from the protocol files of the maker, so that a wrong one in a driver shows.
 */

type Numbers = { readonly [name: string]: number | readonly [number: number, inner: Numbers] };

const IP_NETWORK: Numbers = { address: 1, netmask: 2 };

/** Of messages that no driver reads only what a specimen holds. */
const NUMBERS: { readonly [method: string]: Numbers } = {
  'braiins.bos.v1.MinerService/GetMinerDetails': {
    uid: 1,
    miner_identity: [2, { brand: 1, model: 2, name: 3, miner_model: 4 }],
    platform: 3,
    bos_mode: 4,
    bos_version: [5, { current: 1, major: 2, bos_plus: 3 }],
    hostname: 6,
    mac_address: 7,
    system_uptime: 8,
    bosminer_uptime_s: 10,
    system_uptime_s: 11,
    status: 12,
    kernel_version: 13,
    psu_info: [14, { version: [1, { value: 1 }], fw_version: [2, { value: 1 }], serial_number: 3, model_name: 4 }],
    control_board_soc_family: 15,
    serial_number: 16,
  },
  'braiins.bos.v1.NetworkService/GetNetworkInfo': {
    name: 1,
    mac_address: 2,
    hostname: 3,
    protocol: 4,
    dns_servers: 5,
    networks: [6, IP_NETWORK],
    default_gateway: 7,
  },
};

/** The message that a JSON document (its bytes) stands for as the answer to `method`. Throws where it has a member without a number. */
export const encoded = (method: string, document: Uint8Array): Buffer => {
  const numbers = NUMBERS[method];
  if (numbers === undefined) throw new Error(`no numbers of ${method}`);
  return message(JSON.parse(Buffer.from(document).toString('utf8')), numbers);
};

/** One field with a text. */
export const textField = (number: number, text: string): Buffer => delimited(number, Buffer.from(text, 'utf8'));

const message = (object: object, numbers: Numbers): Buffer =>
  Buffer.concat(
    Object.entries(object)
      .flatMap(([name, value]) => {
        const listed = numbers[name];
        if (listed === undefined) throw new Error(`no number of ${name}`);
        const [number, inner] = typeof listed === 'number' ? [listed, {}] : listed;
        return (Array.isArray(value) ? value : [value]).map((one) => [number, field(number, one, inner)] as const);
      })
      // As the encoders of the makers do it.
      .sort(([one], [other]) => one - other)
      .map(([, bytes]) => bytes),
  );

const field = (number: number, value: unknown, inner: Numbers): Buffer => {
  if (typeof value === 'string') return textField(number, value);
  if (typeof value === 'object' && value !== null) return delimited(number, message(value, inner));
  return Buffer.concat([varint(number << 3), varint(Number(value))]);
};

const delimited = (number: number, bytes: Buffer): Buffer =>
  Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);

const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  let left = BigInt(value);
  while (left > 127n) {
    bytes.push(Number(left & 127n) | 128);
    left >>= 7n;
  }
  return Buffer.from([...bytes, Number(left)]);
};

/** The texts of a message by number of the field; undefined where it holds anything else. */
export const textsIn = (bytes: Buffer): ReadonlyMap<number, string> | undefined => {
  const texts = new Map<number, string>();
  for (let at = 0; at < bytes.length; ) {
    const [tag = 0, length = 0] = bytes.subarray(at);
    // Short texts with small numbers are all that a log-in needs.
    if ((tag & 7) !== 2 || tag > 127 || length > 127 || at + 2 + length > bytes.length) return undefined;
    texts.set(tag >> 3, bytes.toString('utf8', at + 2, at + 2 + length));
    at += 2 + length;
  }
  return texts;
};
