import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Clues, Driver } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { normalise } from '../../agent/normalise/facts.ts';
import { cluesOfRecording, lookAtRecording } from '../../agent/outside/replay.ts';
import type { Capture } from '../../agent/probe/capture.ts';
import { looksLikeAnother } from '../../agent/probe/identify.ts';
import { loadSpecimens, type Specimen } from '../specimens/specimen.ts';

const cluesOf = (specimen: Specimen): Clues => cluesOfRecording(specimen, DRIVERS);

const recognisedBy = (clues: Clues): readonly string[] => {
  const judged = DRIVERS.map((driver) => ({ family: driver.family, sureness: driver.recognise(clues) }));
  const surest = Math.max(...judged.map(({ sureness }) => sureness));
  return judged.filter(({ sureness }) => sureness === surest && sureness > 0).map(({ family }) => family);
};

const driverOf = (family: string): Driver => {
  const driver = DRIVERS.find((one) => one.family === family);
  if (driver === undefined) throw new Error(`no driver ${family}`);
  return driver;
};

const readingsOf = (gaps: ReadonlyMap<string, string>): { readonly [fact: string]: string } =>
  Object.fromEntries([...gaps].map(([fact, gap]) => [fact, gap === 'absent' ? gap : `unknown: ${gap}`]));

const SPECIMENS = loadSpecimens();

describe('specimens', () => {
  test('every driver has one', () => {
    const families = new Set(SPECIMENS.map(({ device }) => ('family' in device ? device.family : '')));
    assert.deepEqual(
      DRIVERS.map(({ family }) => family).filter((family) => !families.has(family)),
      [],
    );
  });

  for (const specimen of SPECIMENS) {
    const { device, name } = specimen;
    if (!('family' in device)) {
      test(`${name} is recognised by no driver`, () => assert.deepEqual(recognisedBy(cluesOf(specimen)), []));
      continue;
    }
    test(`${name} is recognised as ${device.family} and nothing else`, () => {
      assert.deepEqual(recognisedBy(cluesOf(specimen)), [device.family]);
    });
    for (const { credentials, facts: expected, readings } of device.expect) {
      test(`${name} gives its facts ${credentials ? 'with' : 'without'} the log-in`, () => {
        const driver = driverOf(device.family);
        const capture = lookAtRecording(specimen, driver, credentials);
        const { facts, gaps } = normalise(driver, capture, 'full');
        const { 'firmware.fingerprint': fingerprint, ...compared } = facts;
        assert.deepEqual(compared, expected);
        assert.equal(fingerprint === undefined, facts['firmware.components'] === undefined);
        const found = readingsOf(gaps);
        for (const [fact, reading] of Object.entries(readings)) assert.equal(found[fact], reading, fact);
        assert.ok(staysWith(driver, capture), 'a later look takes it for the same family');
      });
    }
  }

  test('every family says what an operator should close, and names the log-in of its factory where it is tried', () => {
    for (const { family, close = [], vendorLogin } of DRIVERS) {
      assert.ok(close.length > 0 && close.every((sentence) => /^[A-Z`].*\.$/.test(sentence)), family);
      const [user, password] = [vendorLogin?.user ?? '', vendorLogin?.password ?? ''];
      assert.ok(close.join(' ').includes(user) && close.join(' ').includes(password), family);
    }
  });

  test('no driver goes on speaking to a device that has become one of another family', () => {
    const fooled = DRIVERS.flatMap((driver) =>
      SPECIMENS.filter(({ device }) => !('family' in device) || device.family !== driver.family)
        .filter((specimen) => staysWith(driver, lookAtRecording(specimen, driver, true)))
        .map(({ name }) => `${driver.family} goes on with ${name}`),
    );
    assert.deepEqual(fooled, []);
  });
});

/** A full look that shows something, and nothing that makes the agent identify the device anew. */
const staysWith = (driver: Driver, capture: Capture): boolean => {
  const shown = Object.keys(normalise(driver, capture, 'full').facts).filter((fact) => fact !== 'family');
  const speaks = driver.stillSpeaks?.(capture.replies) !== false && !looksLikeAnother(driver, capture, DRIVERS);
  return shown.length > 0 && speaks;
};
