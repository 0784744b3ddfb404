import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { arch, release, type } from 'node:os';
import { isSea } from 'node:sea';
import { osInfo, system } from 'systeminformation';

/** What the gateway is, as a `session` `start` states it. Asked once; maker and model are left out where the host hides them. */
export interface Host {
  readonly os: string;
  readonly kernel: string;
  readonly arch: string;
  readonly manufacturer?: string;
  readonly model?: string;
}

const PATIENCE_MS = 5000;

/** The identity of this host. A host that does not answer in time is described by what the runtime knows. */
export const describeHost = async (): Promise<Host> => {
  const [software, hardware] = await Promise.all([inTime(osInfo()), inTime(system())]);
  const os = [software?.distro, software?.release].filter((word) => known(word) !== undefined).join(' ');
  const manufacturer = known(hardware?.manufacturer);
  const model = known(hardware?.model);
  return {
    os: os === '' ? type() : os,
    kernel: release(),
    arch: arch(),
    ...(manufacturer === undefined ? {} : { manufacturer }),
    ...(model === undefined ? {} : { model }),
  };
};

const inTime = async <T>(answer: Promise<T>): Promise<T | undefined> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } catch {
    // A host without these tools or tables is described without them.
    return undefined;
  } finally {
    clearTimeout(timer);
  }
};

const known = (word: string | undefined): string | undefined =>
  word === undefined || word.trim() === '' || /^(unknown|none|to be filled|default string|-)/i.test(word.trim())
    ? undefined
    : word.trim().slice(0, 128);

/** The binary has 150 MB: read into one buffer it leaves nothing behind, and the first polls go on meanwhile. */
const PIECE_BYTES = 1_048_576;

/** SHA-256 (b64u) of the running single binary; undefined when the agent runs from its sources. */
export const binaryDigest = async (): Promise<string | undefined> => {
  if (!isSea()) return undefined;
  const hash = createHash('sha256');
  const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  await using file = await open(process.execPath);
  for (;;) {
    const { bytesRead } = await file.read(piece);
    if (bytesRead === 0) return hash.digest('base64url');
    hash.update(piece.subarray(0, bytesRead));
  }
};
