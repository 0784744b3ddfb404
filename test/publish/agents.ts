import { type Config, configSchema } from '../../agent/config/schema.ts';
import { systemClock } from '../../agent/platform/clock.ts';
import type { Level } from '../../agent/platform/events.ts';
import type { MqttSettings } from '../../agent/publish/broker.ts';
import { Sessions } from '../../agent/publish/presence.ts';
import { TIMING, type Timing } from '../../agent/publish/timing.ts';
import { Uplink } from '../../agent/publish/uplink.ts';
import { MemoryOutbox } from './memory-outbox.ts';

/** Intervals of a test: a second is some milliseconds. */
export const FAST: Timing = {
  ...TIMING,
  connectMs: 3_000,
  answerMs: 1_500,
  backoffBaseMs: 20,
  backoffCapMs: 100,
  busyCapMs: 100,
  refusedCapMs: 100,
  stableMs: 60_000,
  notAuthorisedMs: 200,
  lookMs: 20,
  rivalMs: 60_000,
  rivalLookMs: 200,
  mirrorEveryMs: 1,
  settleMs: 0,
  firstWordMs: 0,
  probeMs: 60_000,
  firstLead: 256,
  stopMs: 2_000,
};

/** Settings as the schema makes them of what an operator wrote. */
export const settingsFor = (url: string, more: Partial<MqttSettings> = {}): MqttSettings => {
  const config: Config = configSchema.parse({
    gateway: 'gw-1',
    operator: 'example.org',
    state_dir: '/nowhere',
    devices: [{ host: '192.0.2.1' }],
    mqtt: { url, rate: 10_000, spread_s: 0, ...more },
  });
  if (config.mqtt === undefined) throw new Error('no mqtt section');
  return config.mqtt;
};

/** One event as the agent wrote it. */
export interface EventLine {
  readonly level: Level;
  readonly event: string;
  readonly [member: string]: unknown;
}

/** An uplink with a log in memory, and the events it wrote. */
export class Agent {
  readonly events: EventLine[] = [];
  readonly outbox: MemoryOutbox;
  readonly uplink: Uplink;
  /** What came on topics of cosignatures and markers, as text. */
  readonly signed: string[] = [];
  /** Devices that somebody wanted looked at. */
  readonly observed: string[] = [];

  constructor(
    settings: MqttSettings,
    {
      timing = {},
      outbox = new MemoryOutbox(),
      gateway = 'gw-1',
      bootseed = 'c2VlZA',
      earlierBoots = [],
      isNew = false,
      random = Math.random,
      print = () => {},
    }: {
      timing?: Partial<Timing>;
      outbox?: MemoryOutbox;
      gateway?: string;
      bootseed?: string;
      earlierBoots?: readonly string[];
      isNew?: boolean;
      random?: () => number;
      print?: (line: EventLine) => void;
    } = {},
  ) {
    this.outbox = outbox;
    this.uplink = new Uplink({
      settings,
      gateway,
      version: '0.1.0',
      log: `example.org/${gateway}/1`,
      sessions: new Sessions(bootseed, (seed) => earlierBoots.includes(seed)),
      outbox,
      notary: {
        isNew,
        heartbeat: () => ({
          size: outbox.size(),
          message: Buffer.from(`{"kind":"checkpoint","size":${outbox.size()}}`),
        }),
        takeCosigned: (payload) => void this.signed.push(`cosig ${Buffer.from(payload)}`),
        takeEntry: (message) => void this.signed.push(`entry ${Buffer.from(message)}`),
        takeMarker: (payload) => void this.signed.push(`epoch ${Buffer.from(payload)}`),
      },
      takeTerms: () => {},
      observe: (devices) => {
        const known = devices.filter((device) => device.startsWith('m-'));
        this.observed.push(...known);
        return { asked: known, unknown: devices.filter((device) => !known.includes(device)) };
      },
      clock: systemClock(),
      emit: (level, event, members = {}) => {
        const line = { ...members, level, event };
        this.events.push(line);
        print(line);
      },
      random,
      timing: { ...FAST, ...timing },
    });
  }

  start(): this {
    this.uplink.start();
    return this;
  }

  saw(event: string): boolean {
    return this.events.some((line) => line.event === event);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.uplink.stop();
  }
}
