import { DEFAULT_LOGIN_REFUSED, type FirmwareComponent } from '../../shared/facts.ts';
import { type Driver, type HttpQuery, questionOf } from '../drivers/driver.ts';
import { Door } from './door.ts';
import { Line, type ProbeDeps } from './line.ts';
import { Logins } from './logins.ts';
import type { Target } from './target.ts';

/** What the reading of an endpoint calls it. */
const DEFAULT_LOGIN = 'login.default';

/**
 * Asks for one page with the log-in that the maker documents, and says whether that was taken: an operator allowed it
 * (`probe.default_logins`). Only where the device asks for a log-in is there an answer; a device that gives the page to
 * anybody, or does not answer, shows nothing. `lockedOut` is told where the device closes its door to us. Undefined while the
 * account may not be shown a further log-in that it may refuse: those of the operator count, too.
 */
export const tryDefaultLogin = async (
  { address, ports }: Target,
  driver: Driver,
  deps: ProbeDeps,
): Promise<readonly FirmwareComponent[] | undefined> => {
  const { vendorLogin } = driver;
  const page = pageBehindLogin(driver);
  const port = page === undefined ? undefined : ports[page.port];
  if (vendorLogin === undefined || page === undefined || port === undefined || port === null) return [];
  const credential = { user: vendorLogin.user, password: () => vendorLogin.password };
  const door = new Door({ host: address, port }, credential, deps.logins);
  if (!door.mayShowBeside()) return undefined;
  // What the operator's own log-in was given or refused is not touched.
  const logins = new Logins(deps.clock);
  await using line = new Line({ address, ports, credential }, { ...deps, logins }, driver);
  const answer = await line.page(page);
  if (logins.restsMs(door.name, credential) === 0) door.unshown();
  const said = answer.kind === 'page' ? `HTTP ${answer.status}` : answer.detail;
  if (LOCKED.test(said)) deps.lockedOut?.({ address, said });
  const isOpen = answer.kind === 'page' && answer.status >= 200 && answer.status < 300;
  if (isOpen && logins.taken > 0) return [{ name: DEFAULT_LOGIN, value: `${vendorLogin.user} at ${questionOf(page)}` }];
  return logins.isRefused ? [{ name: DEFAULT_LOGIN, value: DEFAULT_LOGIN_REFUSED }] : [];
};

/** Too many tries (RFC 6585), or locked (RFC 4918). */
const LOCKED = /HTTP (?:423|429)\b/;

/** A read that needs the log-in: by Digest, where the device says first that it wants one, or by a session. */
const pageBehindLogin = ({ queries }: Driver): HttpQuery | undefined =>
  Object.values(queries).find(
    (query) =>
      query.kind === 'http' &&
      (query.auth === 'digest' ||
        (typeof query.auth === 'object' && query.auth.kind === 'login' && query.auth.ifAsked !== true)),
  ) as HttpQuery | undefined;
// Found as one of that kind.
