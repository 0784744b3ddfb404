import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cgminer } from '../../agent/drivers/cgminer.ts';
import type { JsonObject, JsonValue, Reply } from '../../agent/probe/capture.ts';

const replied = (value: JsonValue): Reply => ({ kind: 'reply', bytes: new Uint8Array(), value, repairs: [] });

const read = (fact: keyof typeof cgminer.facts, replies: { [query: string]: JsonValue }) => {
  const entries = Object.entries(replies).map(([name, value]) => [name, replied(value)] as const);
  const reading = cgminer.facts[fact]?.read(new Map(entries));
  return reading?.kind === 'present' ? reading.value : reading;
};

const said = (Description: string) => ({ STATUS: [{ STATUS: 'S', When: 1_763_901_103, Description }], id: 1 });

describe('the program', () => {
  const named = (description: string, row: JsonObject) => {
    const version = { ...said(description), VERSION: [row] };
    return [read('firmware.name', { version }), read('firmware.version', { version })];
  };

  test('is bfgminer where it describes itself so, whatever the key of its version', () => {
    assert.deepEqual(named('bfgminer 5.4.2', { CGMiner: '5.4.2', API: '3.3' }), ['bfgminer', '5.4.2']);
    assert.deepEqual(named('bfgminer 5.5.0', { BFGMiner: '5.5.0', API: '3.3' }), ['bfgminer', '5.5.0']);
  });

  test('is the key of its version where the operator set the description', () => {
    assert.deepEqual(named('shed 3', { CGMiner: '4.12.0', API: '3.7' }), ['cgminer', '4.12.0']);
    assert.deepEqual(named('sgminer 5', { CGMiner: '4.12.0', API: '3.7' }), ['cgminer', '4.12.0']);
  });

  test('counts more than a page title that several makers have', () => {
    const web = { status: 200, body: '<html><title>MINER UI</title></html>' };
    const clues = (version: JsonValue) => ({ cgminer: new Map([['version', version]]), http: new Map(), web });
    const sgminer = { ...said('sgminer 4.4.2'), VERSION: [{ SGMiner: '4.4.2', API: '4.0' }] };
    const auradine = { ...said('GCMiner-0.5'), VERSION: [{ GCMiner: '0.5', API: '1.0' }] };
    assert.equal(cgminer.recognise(clues(sgminer)), 1);
    assert.equal(cgminer.recognise(clues(auradine)), 0);
  });
});

test('the model is the product that bfgminer lists under DEVS', () => {
  const row = { DEVDETAILS: 0, Name: 'MLD', ID: 0, Driver: 'futurebit', Manufacturer: 'FutureBit' };
  const devdetails = (key: string, Product: string) => ({ ...said('bfgminer 5.4.2'), [key]: [{ ...row, Product }] });
  assert.equal(
    read('identity.model', { devdetails: devdetails('DEVS', 'FutureBit Moonlander 2') }),
    'FutureBit Moonlander 2',
  );
  assert.equal(read('identity.model', { devdetails: devdetails('DEVDETAILS', '') }), 'MLD');
});

describe('a section of the CGMiner API', () => {
  const devices = 'telemetry.temp_max_mc';

  test('that a reply lacks is unreadable: the reply is one to another question', () => {
    const version = { ...said('cgminer 4.11.1'), VERSION: [{ CGMiner: '4.11.1', API: '3.7' }] };
    assert.deepEqual(read('pools', { pools: version }), { kind: 'unknown', reason: 'unreadable' });
    assert.deepEqual(read(devices, { devs: version }), { kind: 'unknown', reason: 'unreadable' });
  });

  test('is absent by a code that says so, and what is not in its rows by an answer', () => {
    assert.deepEqual(read(devices, { devs: { STATUS: [{ STATUS: 'E', Code: 10, Msg: 'No ASCs' }], id: 1 } }), {
      kind: 'absent',
    });
    assert.deepEqual(read(devices, { devs: { ...said('cgminer 4.11.1'), DEVS: [] } }), { kind: 'absent' });
  });
});
