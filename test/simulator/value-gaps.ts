import { type Fill, type Gap, type Pace, within } from './gap.ts';
import { macLike, nameLike, serialLike } from './identity.ts';
import { namedValues } from './members.ts';

const SERIALS =
  /^(serinum|minersn|serial|serial_no|powersn|power_sn|psu_sn|psu_serial|dev_sn|sn|PCB SN|DNA|HDNA|miner_id|chain_sn\d+|sn\d+|SerialNumber|serial_number|hbSerialNumber|uid|hwid)$/;
const MACS = /^(mac|MAC|macaddr|macAddr|macaddress|MACAddr|mac_address|macAddress|conf_macaddr|ethaddr|name)$/;
const NAMES = /^(hostname|conf_hostname|Hostname)$/;
const RUNNING =
  /^(Elapsed|elapsed|Uptime|uptime|uptimeSeconds|totalUptimeSeconds|system_uptime|(system|bosminer)_uptime_s|durationS)$/;
/** `10 days, 18:05` */
const SPOKEN = /^(?:(\d+) days?, )?(\d+):(\d\d)$/;
const COUNTED = /^(Accepted|accepted|sharesAccepted|Getworks|getworks|accepted_shares|acceptedSolutions)$/;
const STAMPS = /^[Ww]hen$/;
const SHARES = /^(Last Share Time|lstime|ls_time)$/;
const AGE = /^\d+:\d\d:\d\d$/;

/** Measured rates; what a machine was sold with, or ought to do, is none. */
const RATES =
  /^(GHS 5s|GHS av|GHS 30m|MHS av|MHS \d+[sm]|HS RT|rate_5s|rate_30m|rate_avg|rate_real|total rate|chain_rate\d|hr_realtime|hr_average|average_hashrate|instant_hashrate|hashrate_rt|gigahash_per_second|megahash_per_second|GHSspd|GHSmm|GHSavg|hashRate\w*)$/;
const FREQUENCIES = /^(frequency|freq_avg|freq[1-4]|total_freqavg|Chip Frequency|hertz|Freq)$/;
const DECIMAL = /^\d+(?:\.(\d+))?$/;

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
  if (SHARES.test(name) && AGE.test(like))
    return ({ running, sharing }) => (running === sharing ? like : ageText(running - sharing));
  if (RUNNING.test(name)) return runningFill(like);
  if (RATES.test(name)) return paced(like, 'rate');
  if (FREQUENCIES.test(name)) return paced(like, 'frequency');
  // What is 0 stays: a pool that stands by gets no share.
  if (!/^[1-9]\d*$/.test(like)) return undefined;
  const first = Number(like);
  if (COUNTED.test(name))
    return ({ sharing, restarted }) => String((restarted ? 0 : first) + Math.floor(sharing / SHARE_S));
  // A device without a clock says how long it runs; that a stamp is one shows in its size.
  if (first < 1e9) return undefined;
  if (STAMPS.test(name)) return ({ now }) => String(now);
  if (!SHARES.test(name)) return undefined;
  return ({ now, running, sharing }) => String(now - (running - sharing) - (sharing % SHARE_S));
};

const DAY_S = 86_400;

/** A counter of seconds, or days, hours and minutes. */
const runningFill = (like: string): Fill | undefined => {
  if (/^[1-9]\d*$/.test(like)) return ({ running, restarted }) => String(restarted ? running : Number(like) + running);
  const [, days = '0', hours, minutes] = SPOKEN.exec(like) ?? [];
  if (hours === undefined) return undefined;
  const first = Number(days) * DAY_S + Number(hours) * 3600 + Number(minutes) * 60;
  return ({ running, restarted }) => spoken(restarted ? running : first + running);
};

const spoken = (seconds: number): string => {
  const days = Math.floor(seconds / DAY_S);
  const time = `${Math.floor((seconds % DAY_S) / 3600)}:${String(Math.floor(seconds / 60) % 60).padStart(2, '0')}`;
  return days === 0 ? time : `${days} ${days === 1 ? 'day' : 'days'}, ${time}`;
};

const ageText = (seconds: number): string => {
  const two = (part: number): string => String(Math.floor(part) % 60).padStart(2, '0');
  return `${Math.floor(seconds / 3600)}:${two(seconds / 60)}:${two(seconds)}`;
};

/** A measured value, in its own number of places. */
const paced = (like: string, of: keyof Pace): Fill | undefined => {
  const places = DECIMAL.exec(like)?.[1]?.length ?? 0;
  return DECIMAL.test(like)
    ? ({ pace }) => (pace === undefined ? like : (Number(like) * pace[of]).toFixed(places))
    : undefined;
};
