import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asset, defineDriver } from '../../agent/drivers/driver.ts';
import { withEndpoint } from '../../agent/normalise/facts.ts';
import { compileAllowList } from '../../agent/probe/allow.ts';
import { readEndpoint } from '../../agent/probe/endpoint.ts';
import type { FirmwareComponent } from '../../shared/facts.ts';
import { FakeMiner, fresh, PATIENT, page, serving } from '../probe/fake-miner.ts';
import {
  type HostKey,
  hostKey,
  SshStation,
  Station,
  selfSigned,
  TlsStation,
  WITHOUT_OPENSSL,
} from '../probe/stations.ts';
import { HOUR, honest, observationOf, Watch } from './watch.ts';

/** What a device shows to anybody, over real sockets, and what is said of a part of it that is refused from some day on. */

const shows = defineDriver({
  family: 'shows',
  title: 'Shows',
  source: 'this test',
  recognise: () => 0,
  queries: {},
  assets: [asset('/'), asset('/app.js')],
  facts: {},
});
const allow = compileAllowList([shows]);

const FORBIDDEN = page('no', { status: '403 Forbidden' });
const [KEY, OTHER_KEY] = [hostKey('ed25519'), hostKey('ed25519')];

/** A device with two pages, a TLS server and an SSH server, each of which can change or begin to refuse. */
interface Face {
  readonly landing?: string;
  readonly app?: string;
  readonly tls?: 'refused';
  readonly ssh?: HostKey | 'refused';
}

class Device implements AsyncDisposable {
  readonly #miner: FakeMiner;
  readonly #tls: TlsStation;
  readonly #ssh: SshStation;
  #face: Face = {};

  private constructor(miner: FakeMiner, tls: TlsStation, ssh: SshStation) {
    this.#miner = miner;
    this.#tls = tls;
    this.#ssh = ssh;
  }

  static async start(): Promise<Device> {
    const tls = await Station.at(new TlsStation(selfSigned()));
    const ssh = await Station.at(new SshStation([KEY]));
    const miner = await FakeMiner.start((request, socket) => {
      const { landing = 'landing', app = 'app' } = device.#face;
      const paged = (text: string) => (text === 'refused' ? FORBIDDEN : page(text));
      serving({ '/': paged(landing), '/app.js': paged(app) })(request, socket);
    });
    const device: Device = new Device(miner, tls, ssh);
    return device;
  }

  /** What it shows, as one reading of its endpoint gives it. */
  async shown(face: Face): Promise<readonly FirmwareComponent[]> {
    this.#face = face;
    if (face.ssh !== 'refused') this.#ssh.keys = [face.ssh ?? KEY];
    const closed = 1;
    const ports = {
      http: this.#miner.port,
      https: face.tls === 'refused' ? closed : this.#tls.port,
      ssh: face.ssh === 'refused' ? closed : this.#ssh.port,
    };
    const deps = { limits: PATIENT, allow, ...fresh() };
    const reading = await readEndpoint({ address: '127.0.0.1', ports }, shows, ['web', 'tls', 'ssh'], deps);
    return [...reading.values()].flat();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#miner, this.#tls, this.#ssh].map((one) => one[Symbol.asyncDispose]()));
  }
}

const observed = (shown: readonly FirmwareComponent[]) => (nowMs: number) =>
  withEndpoint(observationOf('full', nowMs, { facts: honest(nowMs) }), shown);
const living = (shown: readonly FirmwareComponent[]) => (nowMs: number) => ({ facts: observed(shown)(nowMs).facts });
const fingerprint = (shown: readonly FirmwareComponent[]): string =>
  observed(shown)(0).facts['firmware.fingerprint'] ?? '';

const REFUSALS: readonly Face[] = [
  { app: 'refused' },
  { landing: 'refused', app: 'refused' },
  { tls: 'refused' },
  { ssh: 'refused' },
  { landing: 'refused', app: 'refused', tls: 'refused', ssh: 'refused' },
];

const BOUND = { timeout: 60_000, skip: WITHOUT_OPENSSL };

test(
  'a part that is refused for good changes the fingerprint and is no finding, nor is it one when it is shown again',
  BOUND,
  async () => {
    await using device = await Device.start();
    const whole = await device.shown({});
    assert.deepEqual(
      whole.map(({ name }) => name),
      ['asset./', 'asset./app.js', 'tls.key', 'ssh.host-key', 'ssh.software'],
    );
    for (const face of REFUSALS) {
      const watch = Watch.known();
      watch.live(HOUR, living(whole));
      const less = await device.shown(face);
      assert.ok(less.length < whole.length);
      assert.notEqual(fingerprint(less), fingerprint(whole));
      watch.live(6 * HOUR, living(less));
      watch.live(HOUR, living(await device.shown({})));
      assert.deepEqual(watch.said(), [], JSON.stringify(face));
    }
  },
);

test(
  'firmware.fingerprint-changed: what is still shown is compared while another part is refused, and that one once it is back',
  BOUND,
  async () => {
    await using device = await Device.start();
    const whole = await device.shown({});
    const after = async (...faces: readonly Face[]) => {
      const watch = Watch.known();
      watch.live(HOUR, living(whole));
      for (const face of faces) watch.live(2 * HOUR, living(await device.shown(face)));
      return watch.said();
    };
    const swapped: Face = { landing: 'other', ssh: OTHER_KEY };
    assert.deepEqual(await after({ app: 'refused', tls: 'refused', ...swapped }), [
      'firmware.fingerprint-changed open',
    ]);
    assert.deepEqual(await after({ landing: 'refused', ssh: 'refused' }, swapped), [
      'firmware.fingerprint-changed open',
    ]);
    assert.deepEqual(await after({ app: 'refused' }, { app: 'other' }), ['identity.endpoint-changed open']);
  },
);

test(
  'firmware.unlisted: a part that is refused leaves open whether a listed fingerprint is that of the device; another part does not',
  BOUND,
  async () => {
    await using device = await Device.start();
    const whole = await device.shown({});
    const firmware = { approved: [{ fingerprint: [fingerprint(whole)] }], advisories: [] };
    const listed = () => new Watch({ firmware }).live(2 * HOUR, living(whole));
    for (const face of REFUSALS) {
      const watch = listed();
      watch.live(6 * HOUR, living(await device.shown(face)));
      assert.deepEqual(watch.said(), [], JSON.stringify(face));
    }
    const watch = listed();
    watch.live(2 * HOUR, living(await device.shown({ tls: 'refused', app: 'other' })));
    assert.equal(watch.opened('firmware.unlisted').length, 1);
    // It was found with all that it shows: that it refuses something afterwards proves nothing.
    watch.live(2 * HOUR, living(await device.shown({ app: 'refused' })));
    assert.ok(!watch.said().includes('firmware.unlisted resolved'), watch.said().join());
    watch.live(2 * HOUR, living(whole));
    assert.ok(watch.said().includes('firmware.unlisted resolved'), watch.said().join());
    assert.equal(
      new Watch({ firmware }).live(HOUR, living(await device.shown({ app: 'other' }))).opened('firmware.unlisted')
        .length,
      1,
    );
  },
);
