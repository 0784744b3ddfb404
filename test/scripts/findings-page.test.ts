import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RULES } from '../../agent/appraise/index.ts';
import { findingsPage } from '../../scripts/docs/findings.ts';
import { FACTS, type FactName } from '../../shared/facts.ts';

test('the page of findings says of no fact that changes by itself that it is held against what was learned', () => {
  const held = findingsPage(RULES)
    .split('\n')
    .flatMap(
      (line) => /^- \*\*Looks at\*\* (.*), held against the reference of the device(.*)$/.exec(line)?.slice(1) ?? [],
    );
  assert.ok(held.length > 10, 'there are rules that look at facts');
  const named = (text: string): readonly string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  const isVolatile = (name: string): boolean => FACTS[name as FactName].class === 'volatile';
  const learned = held.filter((_, at) => at % 2 === 0).flatMap(named);
  const stated = held.filter((_, at) => at % 2 === 1).flatMap(named);
  assert.deepEqual(learned.filter(isVolatile), []);
  assert.deepEqual(stated, ['config.freq_mhz', 'config.voltage_mv']);
});
