import { type Fill, type Gap, within } from './gap.ts';
import { macLike, nameLike, serialLike } from './identity.ts';
import { namedValues } from './members.ts';

const SERIALS =
  /^(serinum|minersn|serial|serial_no|powersn|power_sn|dev_sn|sn|PCB SN|DNA|HDNA|miner_id|chain_sn\d+|sn\d+|SerialNumber|serial_number|hbSerialNumber|uid|hwid)$/;
const MACS = /^(mac|MAC|macaddr|macAddr|macaddress|MACAddr|mac_address|macAddress|conf_macaddr|ethaddr|name)$/;
const NAMES = /^(hostname|conf_hostname|Hostname)$/;
const RUNNING =
  /^(Elapsed|elapsed|Uptime|uptimeSeconds|totalUptimeSeconds|system_uptime|(system|bosminer)_uptime_s|durationS)$/;
const COUNTED = /^(Accepted|accepted|sharesAccepted|Getworks|getworks|accepted_shares|acceptedSolutions)$/;
const STAMPS = /^[Ww]hen$/;
const SHARES = /^(Last Share Time|lstime)$/;

/** A machine gets a share through about this often, s. */
const SHARE_S = 6;

/** Where a reply tells one machine from another, or one moment: names that are in `set` were given a value by somebody. */
export const valueGaps = (text: string, set: ReadonlySet<string>): readonly Gap[] =>
  namedValues(text).flatMap(({ name, span }) => {
    const like = within(text, span);
    const fill = set.has(name) ? undefined : valueFill(name, like);
    return fill === undefined ? [] : [{ start: span.start, end: span.end, fill }];
  });

const valueFill = (name: string, like: string): Fill | undefined => {
  if (MACS.test(name)) return ({ machine }) => macLike(like, machine);
  if (SERIALS.test(name)) return ({ machine }) => serialLike(like, machine);
  if (NAMES.test(name)) return ({ place }) => nameLike(like, place);
  // What is 0 stays: a pool that stands by gets no share.
  if (!/^[1-9]\d*$/.test(like)) return undefined;
  const first = Number(like);
  if (RUNNING.test(name)) return ({ running, restarted }) => String(restarted ? running : first + running);
  if (COUNTED.test(name))
    return ({ running, restarted }) => String((restarted ? 0 : first) + Math.floor(running / SHARE_S));
  // A device without a clock says how long it runs; that a stamp is one shows in its size.
  if (first < 1e9) return undefined;
  if (STAMPS.test(name)) return ({ now }) => String(now);
  return SHARES.test(name) ? ({ now, running }) => String(now - (running % SHARE_S)) : undefined;
};
