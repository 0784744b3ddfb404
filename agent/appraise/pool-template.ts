import { mailOf } from '../../shared/pool-user.ts';
import { isPlainHost, parseEndpoint } from './pool-url.ts';
import { matchesTemplate, type Templated } from './template.ts';

/** Templates for pools, in which a star stands for less than any text. */

/** Whether a user is what the template makes of this device. An e-mail address that begins it has to be in the template, or its account be open. */
export const matchesUser = (template: string, user: string, device: Templated): boolean =>
  matchesTemplate(template, user, device) && namesMail(template, mailOf(user), device);

/** Whether a template has room for an e-mail address that begins a user: its own one is that, a field is, or its account is anybody's. */
const namesMail = (template: string, mail: string | undefined, device: Templated): boolean => {
  if (mail === undefined) return true;
  const own = mailOf(template);
  if (own !== undefined) return matchesTemplate(own, mail, device);
  if (/^(?:\*|\{account\})/.test(template)) return true;
  const [beginning = ''] = BEGINNING.exec(template) ?? [];
  // Behind what a field makes a star stands for the worker.
  return !beginning.includes('*') && matchesTemplate(beginning, mail, device);
};

/** Up to the first character that may end an e-mail address. */
const BEGINNING = /^(?:\{[^{}]*\}|[^{}._/])*/;

/** Whether a URL is what the template makes of this device: the host by itself, too, and with something before an `@` only where the template has it. */
export const matchesUrl = (template: string, url: string, device: Templated): boolean => {
  const [want, have] = [placeOf(template), placeOf(url)];
  return (
    matchesTemplate(template, url, device) &&
    isPlainHost(parseEndpoint(url).host) &&
    want.hasAccount === have.hasAccount &&
    matchesTemplate(want.host, have.host, device)
  );
};

/** Where a URL, or a template for one, leads. */
const placeOf = (url: string): { readonly hasAccount: boolean; readonly host: string } => {
  const [authority = ''] = url.replace(/^[^/]*:\/\//, '').split(/[/?#]/, 1);
  const at = authority.lastIndexOf('@');
  const [host = ''] = /^(?:\[[^\]]*\]|[^:]*)/.exec(authority.slice(at + 1)) ?? [];
  return { hasAccount: at !== -1, host };
};
