import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchDevice, LogIn, Setup } from './setup.ts';

/**
 * The lines of a configuration that name the fleet, its ports and its log-ins, with the files of the passwords in `folder`:
 * one range where all devices have the same log-in or none, else a line for each device.
 */
export const fleetConfig = (
  {
    devices,
    ports,
    logIns,
  }: Pick<Setup, 'devices' | 'logIns'> & { readonly ports: { readonly [name: string]: number } },
  folder: string,
): readonly string[] => {
  const named = new Map<string, { readonly name: string; readonly logIn: LogIn }>();
  for (const logIn of Object.values(logIns)) {
    const { user, password } = logIn;
    const name = `log-in-${named.size + 1}`;
    if (!named.has(`${user} ${password}`)) named.set(`${user} ${password}`, { name, logIn });
  }
  for (const { name, logIn } of named.values()) writeFileSync(join(folder, name), logIn.password, { mode: 0o600 });
  const nameOf = ({ user, password }: LogIn): string => named.get(`${user} ${password}`)?.name ?? '';
  const portsLine = `ports: ${JSON.stringify(ports)}`;
  const [only] = [...named.values()];
  const entries =
    named.size > 1
      ? devices.map(({ address, specimen }) => {
          const logIn = logIns[specimen];
          const credentials = logIn === undefined ? '' : `, credentials: ${nameOf(logIn)}`;
          return `  - { host: ${address}${credentials}, ${portsLine} }`;
        })
      : [`  - { range: ${rangeOf(devices)}, ${only === undefined ? '' : `credentials: ${only.name}, `}${portsLine} }`];
  const credentials = [...named.values()].map(
    ({ name, logIn: { user } }) => `  ${name}: { user: ${user}, password_file: ${join(folder, name)} }`,
  );
  return ['devices:', ...entries, ...(credentials.length === 0 ? [] : ['credentials:', ...credentials])];
};

/** The range entry that names all devices. */
const rangeOf = (devices: readonly BenchDevice[]): string => `${devices[0]?.address}-${devices.at(-1)?.address}`;
