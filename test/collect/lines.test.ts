import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonOf, linesOf } from '../../agent/cli/collect/lines.ts';
import type { Notice } from '../../shared/index.ts';

const LOG = 'example.org/gw-test/1';
const NOW = 1_795_339_300_500;
const said = (...notices: readonly Notice[]) => ({ verdicts: [], notices, publish: [] });
const jsonOfNotice = (notice: Notice) => jsonOf(said(notice), NOW)[0];

test('the line of a fork says when it was told and which place of the log it is about', () => {
  const fork: Notice = {
    kind: 'fork',
    log: LOG,
    at: 4,
    first: Buffer.from('one'),
    second: Buffer.from('two'),
    remark: { code: 'E_FORK', step: 8, detail: 'another' },
  };
  assert.deepEqual(jsonOfNotice(fork), {
    at: 1_795_339_300,
    event: 'fork',
    log: LOG,
    position: 4,
    first: 'one',
    second: 'two',
    remark: { code: 'E_FORK', step: 8, detail: 'another' },
  });
  assert.match(linesOf(said(fork))[0] ?? '', /FORK at 4/);
});

test('times are Unix seconds in every line', () => {
  assert.deepEqual(
    jsonOfNotice({ kind: 'silent', gateway: 'example.org/gw-test', of: 'heartbeat', sinceMs: NOW - 2_000 }),
    {
      at: 1_795_339_300,
      event: 'silent',
      gateway: 'example.org/gw-test',
      of: 'heartbeat',
      since: 1_795_339_298,
    },
  );
  assert.deepEqual(jsonOfNotice({ kind: 'witnessed', log: LOG, size: 9, atS: 1_795_339_200, remarks: [] }), {
    at: 1_795_339_300,
    event: 'witnessed',
    log: LOG,
    size: 9,
    witnessed_at: 1_795_339_200,
    remarks: [],
  });
});

test('an error of a cosigned checkpoint is told to a person as one of a checkpoint is', () => {
  const remarks = [{ code: 'E_TIME_WINDOW', step: 17, detail: 'claims 500 s more' }] as const;
  assert.deepEqual(
    linesOf(
      said(
        { kind: 'checkpoint', log: LOG, size: 9, remarks },
        { kind: 'witnessed', log: LOG, size: 9, atS: 1_795_339_200, remarks },
        { kind: 'witnessed', log: LOG, size: 9, atS: 1_795_339_200, remarks: [] },
      ),
    ),
    [
      `${LOG}: checkpoint of 9 entries, E_TIME_WINDOW claims 500 s more`,
      `${LOG}: cosigned checkpoint of 9 entries, E_TIME_WINDOW claims 500 s more`,
    ],
  );
});

test('who replaced a log is told with what is lost of it', () => {
  const lost: Notice = { kind: 'lost', log: LOG, from: 3, to: 9, replacedBy: 'example.org/gw-test/2' };
  assert.deepEqual(linesOf(said(lost)), [
    `${LOG}: entries 3 to 8 are lost, example.org/gw-test/2 has replaced this log`,
  ]);
  assert.deepEqual(jsonOfNotice(lost), {
    at: 1_795_339_300,
    event: 'lost',
    log: LOG,
    from: 3,
    to: 9,
    replaced_by: 'example.org/gw-test/2',
  });
});
