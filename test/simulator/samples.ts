import { deviceSchema, type Specimen } from '../specimens/specimen.ts';

const specimen = (name: string, device: object, files: { readonly [file: string]: string }): Specimen => ({
  name,
  device: deviceSchema.parse({ title: name, model: name, expect: [{ credentials: true, facts: {} }], ...device }),
  files: new Map(Object.entries(files).map(([file, text]) => [file, Buffer.from(text, 'latin1')])),
});

/** A miner with two surfaces that carry pools, a log-in, and replies that are damaged in several ways. */
export const RACK = specimen(
  'sample/rack',
  {
    family: 'sample-rack',
    auth: { kind: 'digest', realm: 'sample Configuration', user: 'root', password: 'specimen' },
    replies: {
      'cgminer:version': { file: 'version' },
      'cgminer:pools': { file: 'pools' },
      'cgminer:stats': { file: 'stats' },
      'http:/': { auth: true, file: 'index' },
      'http:/conf': { auth: true, file: 'conf' },
      'http:/system': { file: 'system', headers: { Server: 'lighttpd/1.4.32' } },
    },
  },
  {
    index: '<html>rack</html>',
    version:
      '{"STATUS":[{"STATUS":"S","When":1700000000,"Code":22,"Description":"cgminer 4.11"}],"VERSION":[{"CGMiner":"4.11","Miner":"54.0.1.3","CompileTime":"Fri Nov  3 10:00:00 CST 2023"}],"id":1}',
    pools:
      '{"POOLS":[{"POOL":0,"URL":"stratum+tcp://one.example:3333","User":"acct.w1","Priority":0,"Stratum URL":"one.example","Accepted":10},{"POOL":1,"URL":"stratum+tcp://two.example:3333","User":"acct.w2","Priority":1,"Stratum URL":"","Accepted":0}],"id":1}',
    stats: '{"STATS":[{"Type":"R"\n}{"Elapsed":100,"rate":nan,"miner_id":"80108d8c6880881c",}],"id":1}"}',
    conf: '\n\n{"pools":[{"url":"one.example:3333","user":"acct.w1","pass":"x"},{"url":"two.example:3333","user":"acct.w2","pass":"x"},{"url":"","user":"","pass":""}],"work-mode":"0","freq":500}',
    system: '{"macaddr":"02:AA:BB:CC:DD:EE","hostname":"rig","serinum":"SMTTYRHBDJAAI0123","kernel":"k 4.6.0"}',
  },
);

/** A home miner with one HTTP route whose two pools are members of one object. */
export const HOME = specimen(
  'sample/home',
  { family: 'sample-home', replies: { 'http:/info': { file: 'info' } } },
  {
    info: '{"version":"v2.9.0","axeOSVersion":"v2.9.0","macAddr":"02:AA:BB:CC:DD:EF","uptimeSeconds":50,"stratumURL":"one.example","stratumPort":3333,"stratumUser":"bc1qq.home","fallbackStratumURL":"two.example","fallbackStratumPort":4444,"fallbackStratumUser":"bc1qq.home"}',
  },
);

/** A miner whose values stand as items in a text. */
export const MODULE = specimen(
  'sample/module',
  { family: 'sample-module', cgminer: { ending: 'none' }, replies: { 'cgminer:stats': { file: 'stats' } } },
  { stats: '{"STATS":[{"MM ID0":"Ver[1246-21072802] DNA[0201000012345678] Elapsed[9]WORKMODE[1]"}],"id":1}' },
);
