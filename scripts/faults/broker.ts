import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MOSQUITTO } from '../../test/publish/mosquitto.ts';
import type { Clock } from './clock.ts';
import type { Disk } from './disk.ts';
import type { Network } from './network.ts';
import { type OwnEnd, Service } from './service.ts';

/** The real broker, with the settings that mqtt.md §9 asks of one, and its state on a disk of its own. */
export class Broker {
  readonly #disk: Disk;
  readonly #service: Service;

  constructor(
    folder: string,
    at: { readonly network: Network; readonly disk: Disk; readonly clock: Clock },
    tell: (end: OwnEnd) => void,
  ) {
    const { network, disk, clock } = at;
    this.#disk = disk;
    const config = join(folder, 'mosquitto.conf');
    const lines = [
      'user root',
      `listener ${network.brokerPort} 127.0.0.1`,
      'allow_anonymous true',
      'persistence true',
      `persistence_location ${disk.folder}/`,
      'autosave_interval 30',
      'max_queued_messages 100000',
      'max_inflight_messages 100',
      'max_packet_size 262144',
      'queue_qos0_messages false',
    ];
    writeFileSync(config, `${lines.join('\n')}\n`);
    this.#service = new Service({
      name: 'broker',
      command: [...network.atBroker, MOSQUITTO, '-c', config],
      clock,
      logFile: join(folder, 'broker.log'),
      // What it could not write whole it does not start from: its operator would remove that.
      tell: (end) => {
        if (/persist/i.test(end.last)) this.wipe();
        tell(end);
      },
      excuse: () => (disk.isFull ? 'its disk is full' : undefined),
    });
  }

  start(): void {
    this.#service.start();
  }

  kill(): Promise<void> {
    return this.#service.kill();
  }

  /** Everything that it had kept is gone. It must not run. */
  wipe(): void {
    for (const name of readdirSync(this.#disk.folder)) rmSync(join(this.#disk.folder, name), { recursive: true });
  }
}
