import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { createBase58check } from '@scure/base';
import { brokenAddressIn, isBrokenAddress } from '../../agent/appraise/wallet.ts';

const base58check = createBase58check((bytes: Uint8Array) => hash('sha256', bytes, 'buffer'));
const address = (...version: readonly number[]): string =>
  base58check.encode(Uint8Array.from([...version, ...Array.from({ length: 20 }, (_, at) => at * 7 + 3)]));

/** Published addresses: BIP 173 and 350, the specification of CashAddr, the sources of Kaspa, RFC 21 of Nervos, the first block of Bitcoin. */
const PUBLISHED = [
  '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa',
  '3P14159f73E4gFr7JterCCQh9QjiTjiZrG',
  'BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4',
  'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4',
  'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0',
  'bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a',
  'bchtest:pr6m7j9njldwwzlg9v7v53unlr4jkmx6eyvwc0uz5t',
  'bitcoincash:ppm2qsznhks23z7629mms6s4cwef74vcwvn0h829pq',
  'qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a',
  'kaspa:qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqkx9awp4e',
  'tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx',
  'tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c',
  'kaspa:qqj9fg59mptxkr9j0y53j5mwurcmda5mtza9n6v9pm9uj8h0wgk6uma5pvumr',
  'qqj9fg59mptxkr9j0y53j5mwurcmda5mtza9n6v9pm9uj8h0wgk6uma5pvumr',
  'ckb1qzda0cr08m85hc8jlnfp3zer7xulejywt49kt2rr0vthywaa50xwsqdnnw7qkdnnclfkg59uzn8umtfd2kwxceqxwquc4',
];

/** Made by version byte: Bitcoin and its test network (m, 2), Litecoin (L, M), Dogecoin (D, 9), Dash (X, 7), DigiByte (S), transparent Zcash (t1, t3). */
const MADE = [
  [0],
  [5],
  [0x6f],
  [0xc4],
  [0x30],
  [0x32],
  [0x1e],
  [0x16],
  [0x4c],
  [0x10],
  [0x3f],
  [0x1c, 0xb8],
  [0x1c, 0xbd],
].map((version) => address(...version));

/** The next character of the alphabet in its middle. */
const damaged = (text: string): string => {
  const at = Math.floor(text.length / 2) + 2;
  const other = text[at] === 'q' || text[at] === 'Q' ? '2' : text === text.toUpperCase() ? 'Q' : 'q';
  return text.slice(0, at) + other + text.slice(at + 1);
};

for (const text of [...PUBLISHED, ...MADE])
  test(`invalid-address: ${text.slice(0, 16)}… is right, with one other character it is not`, () => {
    assert.equal(isBrokenAddress(text), false);
    for (const worker of ['.rig1', '/rig1', '+0.5']) assert.equal(isBrokenAddress(text + worker), false);
    assert.equal(isBrokenAddress(damaged(text)), true);
    assert.equal(isBrokenAddress(`${damaged(text)}.rig1`), true);
    for (const worker of ['', '.*', '.{serial}', '/*', '_{rack}-*', '+0.5']) {
      assert.equal(brokenAddressIn(text + worker), undefined);
      assert.equal(brokenAddressIn(damaged(text) + worker), damaged(text));
      // What stands right behind it may be the rest of it.
      for (const rest of ['*', '{serial}']) assert.equal(brokenAddressIn(damaged(text) + rest + worker), undefined);
    }
  });

test('invalid-address: a version with the checksum of another, and letters of both kinds, are wrong', () => {
  assert.equal(isBrokenAddress('bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7k7grplx'), true);
  assert.equal(isBrokenAddress('bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh'), true);
  assert.equal(isBrokenAddress('bc1zw508d6qejxtdg4y5r3zarvaryvqyzf3du'), true);
  assert.equal(isBrokenAddress('bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22GDX6A'), true);
  assert.equal(isBrokenAddress(`1${'O0lI'.repeat(8)}`), true);
});

test('invalid-address: a coin in front is none of it, and an e-mail address is another account', () => {
  assert.equal(isBrokenAddress(`LTC.${damaged(address(0x30))}.rig1`), true);
  assert.equal(isBrokenAddress(`LTC.${address(0x30)}.rig1`), false);
  assert.equal(brokenAddressIn(`ltc.${damaged(address(0x30))}.*`), damaged(address(0x30)));
  assert.equal(isBrokenAddress(`${damaged(address(0x30))}@acme.example`), false);
});

test('invalid-address: without its name an address may be one of any chain with such a checksum', () => {
  // The same key on Bitcoin Cash and eCash.
  assert.equal(isBrokenAddress('ecash:qpm2qsznhks23z7629mms6s4cwef74vcwva87rkuu2'), false);
  assert.equal(isBrokenAddress('qpm2qsznhks23z7629mms6s4cwef74vcwva87rkuu2'), false);
  assert.equal(isBrokenAddress('bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwva87rkuu2'), true);
});

test('invalid-address: in a list only what is as long as an address is one', () => {
  for (const user of [
    'bc1northfarmsiteminers2024x',
    'bc1pnorthfarm.*',
    '1stMiningFarmOfTheNorthSide2024',
    '3DayMinersOfTheNorthSide2024.{rack}',
    'Acme2024',
    'MiningFarmOfTheNorthSide2024/*',
    'miningfarmofthegreatnorthsideofacme',
    'kaspafarmofthenorthside',
    'qpminers.*',
    '2MinersAndFriendsOfTheNorthSide24',
    '{account}.*',
    '*',
    'acme.bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5',
    'DsVn6Y6Vb2QbTDtuRKFxLBr5MJ8NCRaUcbN.rig1',
  ])
    assert.equal(brokenAddressIn(user), undefined, user);
});

test('invalid-address: account names, placeholders and addresses of other coins are not judged', () => {
  for (const user of [
    'acme.rig0417',
    '',
    '.',
    'antminer_1',
    '31337',
    'MeridianHashFunds.MERIDNxCNKxS17Px00001',
    'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.z1',
    'ZZZZZZZZZZZZZZZZZZZZZZZZ',
    'bc1q...',
    'kaspa:**********.worker_1',
    '#0x1A2b3C4d5E6f708192A3b4C5d6E7f8091A2b3C4d.00B4C08382A1',
    'DsVn6Y6Vb2QbTDtuRKFxLBr5MJ8NCRaUcbN.rig1',
  ])
    assert.equal(isBrokenAddress(user), false, user);
});
