import { called, knownBy } from './bitmain-api.ts';
import { BITMAIN_CLOSE, CGI_FACTS, CGI_QUERIES } from './bitmain-cgi.ts';
import { defineDriver } from './driver.ts';

/** Chipless on the Antminer Z11, which copies Bitmain's firmware in all but one text. */
export const chipless = defineDriver({
  family: 'chipless',
  title: 'Chipless (Antminer Z11)',
  source: 'foreman-apps foreman-antminer; replies of the Z11 with firmware of Bitmain',
  ...knownBy(({ CompileTime }) => typeof CompileTime === 'string' && /\bchipless\b/i.test(CompileTime)),
  queries: CGI_QUERIES,
  facts: { ...CGI_FACTS, 'firmware.name': called('Chipless') },
  secrets: ['pass'],
  quirks: [
    'Z11: only `CompileTime` tells it from the firmware of Bitmain; the text is `firmware.build` and a part of the fingerprint.',
    'Z11: `stats` lacks the comma between its two rows; GHS means kSol/s.',
    "unverified: everything but `CompileTime`, which is read as on Bitmain's firmware; no reply was captured.",
  ],
  close: [...BITMAIN_CLOSE],
});
