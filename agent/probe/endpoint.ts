import { hash } from 'node:crypto';
import type { FirmwareComponent } from '../../shared/facts.ts';
import type { Driver, HttpQuery } from '../drivers/driver.ts';
import type { EndpointReading, Surface } from './capture.ts';
import { tryDefaultLogin } from './default-login.ts';
import { Line, type ProbeDeps } from './line.ts';
import { askSshKey } from './ssh.ts';
import type { Target } from './target.ts';
import { askTlsKey } from './tls.ts';

/**
 * Looks at surfaces of a device whose family is known, one connection after the other and without any log-in. It is over
 * after `limits.deviceMs`, whatever the device does. It rejects only when the signal is aborted, or by our own fault.
 */
export const readEndpoint = async (
  { address, ports }: Target,
  driver: Driver,
  surfaces: readonly Surface[],
  deps: ProbeDeps,
): Promise<EndpointReading> => {
  await using line = new Line({ address, ports }, deps);
  const shown = new Map<Surface, readonly FirmwareComponent[]>();
  for (const surface of surfaces) if (surface !== 'login') shown.set(surface, await READ[surface](line, driver));
  if (surfaces.includes('login')) {
    await line[Symbol.asyncDispose]();
    const login = await tryDefaultLogin({ address, ports }, driver, deps);
    // While it waits, its turn does.
    if (login !== undefined) shown.set('login', login);
  }
  return shown;
};

const READ: {
  readonly [Name in Exclude<Surface, 'login'>]: (line: Line, driver: Driver) => Promise<readonly FirmwareComponent[]>;
} = {
  web: async (line, { assets = [] }) => {
    const parts: FirmwareComponent[] = [];
    for (const query of assets) {
      const value = await digestOf(query, line);
      if (value !== undefined) parts.push({ name: `asset.${query.path}`, value });
    }
    return parts;
  },
  tls: (line) => line.handshake('https', askTlsKey),
  ssh: (line) => line.handshake('ssh', askSshKey),
  ports: async (line) => {
    const parts: FirmwareComponent[] = [];
    for (const port of line.managementPorts()) {
      const answer = await line.knock(port);
      // Half of the ports would make the others look opened at the next turn.
      if (answer === undefined) return [];
      if (answer !== 'refused') parts.push({ name: `port.${port}`, value: answer });
    }
    return parts;
  },
};

/** SHA-256 (b64u) of a static page. One that is another when it is asked for again at once is not static. */
const digestOf = async (query: HttpQuery, line: Line): Promise<string | undefined> => {
  const first = await bodyOf(query, line);
  if (first === undefined) return undefined;
  const second = await bodyOf(query, line);
  return second?.equals(first) ? hash('sha256', first, 'base64url') : undefined;
};

/** The body where all of it came: a part of a page, or a page about an error, has no digest. */
const bodyOf = async (query: HttpQuery, line: Line): Promise<Buffer | undefined> => {
  const page = await line.page(query);
  return page.kind === 'page' && page.status === 200 && page.whole && page.body.length > 0 ? page.body : undefined;
};
