/**
 * A fleet of miners that exists only on the loopback, in a process of its own: `npm run simulate -- --devices 20`.
 * Takes orders as JSON lines on stdin, e.g. {"do":"changePoolUser","device":"sim-00001","slot":0,"user":"thief.x"}, and
 * answers each with a line. Ends when stdin closes, or on SIGTERM or SIGINT.
 */
import { createInterface } from 'node:readline';
import { Command, InvalidArgumentError } from 'commander';
import { startFleet } from '../test/simulator/fleet.ts';
import { obey } from '../test/simulator/orders.ts';
import { loadSpecimens, type Specimen } from '../test/specimens/specimen.ts';

const integer = (text: string): number => {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('a whole number');
  return Number(text);
};

const names = (text: string): readonly string[] => text.split(',').map((name) => name.trim());

const loopback = (text: string): string => {
  if (!/^127(\.\d{1,3}){3}$/.test(text)) throw new InvalidArgumentError('an address inside 127.0.0.0/8');
  return text;
};

const options = new Command('simulate')
  .option('--devices <n>', 'how many miners', integer, 20)
  .option(
    '--families <list>',
    'families or specimens (axeos, avalon/q-resting), comma-separated; default: all',
    names,
    [],
  )
  .option('--base <address>', 'first address', loopback, '127.20.0.1')
  .option('--cgminer-port <port>', 'port of the CGMiner API; 0: any', integer, 14028)
  .option('--http-port <port>', 'port of the web interface; 0: any', integer, 18080)
  .option('--json', 'print JSON lines')
  .parse()
  .opts<{
    devices: number;
    families: readonly string[];
    base: string;
    cgminerPort: number;
    httpPort: number;
    json?: true;
  }>();

/** A passive specimen is played only when it is asked for by name. */
const chosen = ({ name, device }: Specimen): boolean =>
  options.families.length === 0
    ? !('passive' in device)
    : options.families.some((wanted) => name === wanted || name.startsWith(`${wanted}/`));

const all = loadSpecimens();
const specimens = all.filter(chosen);
if (specimens.length === 0) {
  process.stderr.write(
    `no specimen of ${options.families.join(', ')}; there are ${all.map(({ name }) => name).join(', ')}\n`,
  );
  process.exit(2);
}

const fleet = await startFleet({
  specimens,
  devices: options.devices,
  base: options.base,
  ports: { cgminer: options.cgminerPort, http: options.httpPort },
});

let stopping = false;
const stop = async (): Promise<void> => {
  if (stopping) return;
  stopping = true;
  await fleet.stop();
  process.exit(0);
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);

const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

if (options.json) {
  const devices = fleet.devices.map(({ id, address, family, script }) => ({
    id,
    address,
    family,
    specimen: script.specimen.name,
  }));
  say({ ready: true, ports: fleet.ports, devices });
} else {
  for (const { id, address, script } of fleet.devices) {
    process.stdout.write(`${id}  ${address.padEnd(15)}  ${script.specimen.name}  ${script.device.model}\n`);
  }
  process.stdout.write(
    `\n--ports cgminer=${fleet.ports.cgminer},http=${fleet.ports.http}\norders as JSON lines on stdin; Ctrl-C ends\n`,
  );
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() !== '') say(await obey(line, fleet, all, say));
}
await stop();
