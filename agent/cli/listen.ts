import { setTimeout as wait } from 'node:timers/promises';
import { InvalidArgumentError } from 'commander';
import { REPORT_FORMS, type ReportForm } from '../drivers/ip-reports.ts';
import { cleanReport } from '../normalise/ip-report.ts';
import { systemClock } from '../platform/clock.ts';
import { AgentError } from '../platform/errors.ts';
import { inflateBounded } from '../probe/inflate.ts';
import { type Datagram, type Opened, openPort } from '../probe/ip-reports.ts';
import { devicesBlock } from './devices-block.ts';
import { Heard, MOST_REPORTS, type Sighting } from './heard.ts';
import { hintJson, hintLine, hintTable, makersText } from './hint-view.ts';
import { type Io, printJson } from './io.ts';

/** The options of `scan --listen`. */
export interface ListenOptions {
  readonly seconds: number;
  /** UDP port by name of the form; only these are opened. */
  readonly ports: ReportPorts | undefined;
  readonly json: boolean | undefined;
  readonly yaml: boolean | undefined;
}

export type ReportPorts = { readonly [form: string]: number };

type Open = Extract<Opened, { kind: 'open' }>;

const FORGEABLE =
  'Anybody on the network can forge these reports: they are hints where to look, not evidence. Nothing of them enters the log.';

/** `scan --listen`: hears the IP reports that devices broadcast, and sends nothing. Ctrl-C prints what was heard so far. */
export const listen = async (options: ListenOptions, io: Io): Promise<void> => {
  const ear = new Ear(options, io);
  const ports = await openPorts(options, ear, io);
  const interrupted = new AbortController();
  const interrupt = () => {
    interrupted.abort();
    io.err.write('interrupted; this was heard so far:\n');
  };
  process.once('SIGINT', interrupt);
  try {
    io.err.write(
      `listening on UDP ${ports.map(({ port }) => port).join(', ')} for ${options.seconds} s, Ctrl-C ends it; nothing is sent\n`,
    );
    await wait(options.seconds * 1000, undefined, { signal: interrupted.signal }).catch(() => {});
  } finally {
    for (const { close } of ports) close();
    process.off('SIGINT', interrupt);
  }
  ear.report();
};

/** What becomes of the datagrams. */
class Ear {
  readonly #heard = new Heard();
  readonly #clock = systemClock();
  readonly #options: ListenOptions;
  readonly #io: Io;
  #ignored = 0;

  constructor(options: ListenOptions, io: Io) {
    this.#options = options;
    this.#io = io;
  }

  hear(form: ReportForm, port: number, { address, payload }: Datagram): void {
    const report = form.read(payload, inflateBounded);
    if (report === undefined) {
      this.#ignored += 1;
      return;
    }
    const sighting = { form, port, address, receivedAtMs: this.#clock.wallMs(), report: cleanReport(report) };
    const taken = this.#heard.take(sighting);
    if (taken === 'new') this.#tell(sighting);
    if (taken === 'left-out' && this.#heard.leftOut === 1)
      this.#io.err.write(
        `more than ${MOST_REPORTS} different reports: further ones are counted only; this looks like a flood\n`,
      );
  }

  #tell(sighting: Sighting): void {
    if (this.#options.json) printJson(this.#io, hintJson(sighting));
    else this.#io.err.write(hintLine(sighting));
  }

  report(): void {
    const { reports, repeated, leftOut } = this.#heard;
    const sorted = reports.toSorted((a, b) => order.compare(a.first.address, b.first.address));
    if (this.#options.yaml) {
      const addresses = [...new Set(sorted.map(({ first }) => first.address))];
      this.#io.out.write(`# ${FORGEABLE}\n${devicesBlock(addresses)}`);
    } else if (!this.#options.json) {
      this.#io.out.write(`${hintTable(this.#io, sorted)}${FORGEABLE}\n`);
    }
    const counts = [
      `${reports.length === 1 ? '1 report' : `${reports.length} different reports`} heard`,
      ...(repeated > 0 ? [`repeated: ${repeated}`] : []),
      ...(leftOut > 0 ? [`further ones: ${leftOut}`] : []),
      ...(this.#ignored > 0 ? [`ignored, because they are no reports: ${this.#ignored}`] : []),
    ];
    this.#io.err.write(`${counts.join('; ')}\n`);
  }
}

const order = new Intl.Collator('en', { numeric: true });

// ---- ports -----------------------------------------------------------------------------------------------------------

/** Opens the ports that can be opened, and tells of the others. Throws `listen.no-port` if there is none. */
const openPorts = async ({ ports }: ListenOptions, ear: Ear, io: Io): Promise<readonly Open[]> => {
  const wanted = REPORT_FORMS.filter(({ name }) => ports === undefined || Object.hasOwn(ports, name));
  const opened = await Promise.all(wanted.map((form) => openForm(form, ports?.[form.name] ?? form.port, ear, io)));
  const open = opened.filter((one) => one.kind === 'open');
  if (open.length > 0) return open;
  throw new AgentError({
    code: 'listen.no-port',
    message: 'no UDP port is left to listen on',
    remedy: 'free one of the ports above, then listen again',
  });
};

const openForm = async (form: ReportForm, wanted: number, ear: Ear, io: Io): Promise<Opened> => {
  const tell = (port: number, code: string) => io.err.write(deafness(form, port, code));
  let port = wanted;
  const opened = await openPort(wanted, {
    datagram: (datagram) => ear.hear(form, port, datagram),
    broken: (code) => tell(port, code),
  });
  if (opened.kind === 'open') port = opened.port;
  else tell(wanted, opened.code);
  return opened;
};

const deafness = (form: ReportForm, port: number, code: string): string => {
  const [why, remedy] = reasonOf(port, code);
  return `reports of ${makersText(form)} are not heard: UDP port ${port} ${why}\n  remedy: ${remedy}\n`;
};

const reasonOf = (port: number, code: string): readonly [why: string, remedy: string] => {
  if (code === 'EADDRINUSE')
    return ['is taken by another program', `find it, as root, with: ss -lunp 'sport = :${port}'; then stop it`];
  if (code === 'EACCES' || code === 'EPERM')
    return ['may not be opened', 'let this user open it: it takes root, or CAP_NET_BIND_SERVICE, below 1024'];
  return [`cannot be opened: ${code}`, 'look at the network of this machine: ip address'];
};

/** The value of `--listen-ports`. */
export const parseReportPorts = (text: string): ReportPorts =>
  Object.fromEntries(
    text.split(',').map((pair) => {
      const [name = '', port = '', ...rest] = pair.split('=');
      if (!REPORT_FORMS.some((form) => form.name === name) || !isPort(port) || rest.length > 0)
        throw new InvalidArgumentError(`write for example whatsminer=8888,goldshell=1314; known are ${FORM_NAMES}`);
      return [name, Number(port)];
    }),
  );

const FORM_NAMES = REPORT_FORMS.map(({ name }) => name).join(', ');

/** 0 is any free port. */
const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) <= 65_535;

/** The value of `--listen`. */
export const parseListenSeconds = (text: string): number => {
  if (!/^\d{1,5}$/.test(text) || Number(text) < 1 || Number(text) > 86_400)
    throw new InvalidArgumentError('1 to 86400 seconds');
  return Number(text);
};
