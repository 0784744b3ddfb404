import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Driver } from '../drivers/driver.ts';
import { DRIVERS } from '../drivers/index.ts';
import { type LookDeps, lookDeps } from '../look.ts';
import { type DriverFile, requireDriverFiles } from '../outside/load.ts';
import { type Recorded, recordDevice } from '../outside/record.ts';
import { systemClock } from '../platform/clock.ts';
import { AgentError } from '../platform/errors.ts';
import { couldBe, identify } from '../probe/identify.ts';
import { waitFor } from '../probe/probe.ts';
import type { Target } from '../probe/target.ts';
import { EXIT, type Io, printable, printJson, setExit } from './io.ts';
import { type AskOptions, addAskOptions, familyNamed, limitsFor, loginOf, parseHost } from './probe.ts';

interface RecordOptions extends AskOptions {
  readonly family?: string;
  readonly out?: string;
  readonly redact: readonly string[];
  readonly json?: boolean;
}

/** `record`: a folder with what a device answers to every read-only question, secrets masked. */
export const recordVerb = (program: Command, io: Io): void => {
  const verb = program
    .command('record')
    .description(
      'ask a device every read-only question of its family and keep the replies in a folder, secrets masked; `driver test` reads it',
    )
    .argument('<host[:port]>', 'address; with a port, that port only, with every protocol it could speak')
    .option('--out <folder>', 'the folder to make (<family>-<host> unless told); one that exists is left as it is')
    .option('--family <id>', 'ask in the words of this family, whatever the device is')
    .addOption(
      new Option('--redact <fact...>', 'mask this as well').choices(['pools.user']).default([], 'nothing further'),
    )
    .option('--json', 'print what was kept as one JSON object');
  addAskOptions(verb).action((host: string, options: RecordOptions) => record(host, options, io));
};

const record = async (host: string, options: RecordOptions, io: Io): Promise<void> => {
  const target = { ...parseHost(host, options.ports), ...loginOf(options, io) };
  const files = requireDriverFiles(options.driver ?? [], DRIVERS);
  const drivers = [...DRIVERS, ...files.map(({ driver }) => driver)];
  const forced = options.family === undefined ? undefined : familyNamed(options.family, drivers);
  if (options.out !== undefined) refuseExisting(resolve(options.out));
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.once('SIGINT', interrupt);
  try {
    const deps = lookDeps({
      drivers,
      limits: limitsFor(options),
      clock: systemClock(),
      signal: interrupted.signal,
    });
    const driver = forced ?? (await driverAt(host, target, files, deps, io));
    const folder = resolve(options.out ?? `${driver?.family ?? 'unknown'}-${host.replace(/[^A-Za-z0-9.-]+/g, '-')}`);
    refuseExisting(folder);
    const recorded = await recordDevice({ target, driver, drivers, redact: options.redact, deps });
    if (Object.keys(recorded.device.replies).length === 0) throw emptyRecord(host, recorded);
    interrupted.signal.throwIfAborted();
    keep(
      folder,
      recorded,
      titled(recorded, driver),
      files.find((file) => file.driver === driver),
    );
    tell(folder, recorded, driver, options, io);
  } catch (error) {
    if (!(error instanceof Error && error.name === 'AbortError')) throw error;
    io.err.write('interrupted: nothing was written\n');
    setExit(EXIT.failed);
  } finally {
    process.off('SIGINT', interrupt);
  }
};

/** The family of the device; where nobody knows it, that of the one driver file that was named. */
const driverAt = async (
  host: string,
  target: Target,
  files: readonly DriverFile[],
  deps: LookDeps,
  io: Io,
): Promise<Driver | undefined> => {
  const found = await identify(target, deps.drivers, deps);
  if (found.kind === 'identified') {
    // Its last connection is just over.
    await waitFor(found.driver.pauseMs ?? 0, deps);
    return found.driver;
  }
  if (found.kind === 'unreachable') throw silent(host, found.reason);
  const what = found.kind === 'ambiguous' ? `it ${couldBe(found)}` : found.detail;
  const [only, ...others] = files;
  const named = others.length === 0 ? only?.driver : undefined;
  const then =
    named === undefined
      ? 'the answers to the questions of identification are kept, to write a driver from'
      : `it is asked in the words of ${named.family}`;
  io.err.write(`${host}: not recognised: ${printable(what)}; ${then}\n`);
  return named;
};

const silent = (host: string, why: string): AgentError =>
  new AgentError({
    code: 'record.unreachable',
    message: `${host}: ${why}`,
    remedy: `check address, ports (--ports) and that the device is on: assayer probe ${host}`,
  });

/** It may have answered, and nothing of that can be kept. */
const emptyRecord = (host: string, { remarks }: Recorded): AgentError => {
  const [first, ...others] = remarks;
  if (first === undefined) return silent(host, 'no question was answered');
  return new AgentError({
    code: 'record.nothing-kept',
    message: `${host}: no answer can be kept: ${first}${others.length === 0 ? '' : `; and ${others.length} more`}`,
    remedy: `look at what it says: assayer probe ${host}; what is longer than probe.max_reply_bytes, or broken off, is not kept`,
  });
};

const refuseExisting = (folder: string): void => {
  if (!existsSync(folder)) return;
  throw new AgentError({
    code: 'usage.folder',
    message: `${folder} exists and is left as it is`,
    remedy: 'name another folder with --out, or move that one away',
  });
};

const titled = ({ device }: Recorded, driver: Driver | undefined): object => {
  const facts = device.expect?.[0]?.facts ?? {};
  const model = facts['identity.model'];
  return {
    title: driver === undefined ? 'a device of no known family' : `${driver.title}, recorded`,
    model: typeof model === 'string' ? model : 'unknown',
    ...device,
  };
};

/** The folder is there whole or not at all: it is filled beside its place, and then takes its name. */
const keep = (folder: string, { files }: Recorded, device: object, outside: DriverFile | undefined): void => {
  let filling: string | undefined;
  try {
    mkdirSync(dirname(folder), { recursive: true });
    filling = mkdtempSync(`${folder}.part-`);
    const write = (name: string, bytes: Uint8Array | string): void =>
      writeFileSync(join(filling as string, name), bytes, { flag: 'wx', mode: 0o600 });
    for (const [name, bytes] of files) write(name, bytes);
    write('device.json', `${JSON.stringify(device, null, 2)}\n`);
    if (outside !== undefined) write('driver.yaml', outside.bytes);
    refuseExisting(folder);
    renameSync(filling, folder);
  } catch (cause) {
    if (filling !== undefined) rmSync(filling, { recursive: true, force: true });
    if (cause instanceof AgentError) throw cause;
    throw new AgentError({
      code: 'usage.unwritable',
      message: `cannot write ${folder}: ${(cause as NodeJS.ErrnoException).code}`,
      remedy: 'choose a place where you may write, with room, with --out',
      cause,
    });
  }
};

const tell = (
  folder: string,
  { device, files, remarks }: Recorded,
  driver: Driver | undefined,
  { json }: RecordOptions,
  io: Io,
): void => {
  const family = driver?.family ?? null;
  if (json) {
    printJson(io, { folder, family, replies: device.replies, left_out: device.left_out, remarks });
    return;
  }
  io.out.write(`${folder}: ${files.size} replies${driver === undefined ? '' : ` of ${driver.title}`}\n`);
  for (const remark of remarks) io.err.write(`${printable(remark)}\n`);
  io.out.write(
    driver === undefined
      ? `next: write ${join(folder, 'driver.yaml')} (docs/write-a-driver.md), then: assayer driver test ${folder}\n`
      : `next: assayer driver test ${folder}\n`,
  );
};
