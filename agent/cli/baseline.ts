import type { Command } from 'commander';
import { acceptVerb } from './baseline/accept.ts';
import { createReferenceVerb } from './baseline/create.ts';
import { diffVerb } from './baseline/diff.ts';
import { exportVerb } from './baseline/export.ts';
import { showVerb } from './baseline/show.ts';
import { withdrawVerb } from './baseline/withdraw.ts';
import { groupExamples } from './examples.ts';
import type { Io } from './io.ts';
import { adoptVerb } from './terms/adopt.ts';
import { signVerb } from './terms/sign.ts';

/** `baseline`: the values that are approved for devices. */
export const baselineVerb = (program: Command, io: Io): void => {
  const baseline = program
    .command('baseline')
    .description('reference values: look, accept what devices show, or have it signed elsewhere and adopt that');
  showVerb(baseline, io);
  diffVerb(baseline, io);
  acceptVerb(baseline, io);
  exportVerb(baseline, io);
  createReferenceVerb(baseline, io);
  signVerb(baseline, 'reference', io);
  adoptVerb(baseline, 'reference', io);
  withdrawVerb(baseline, io);
  groupExamples(
    baseline,
    [
      'baseline diff, then baseline accept    a person at the gateway agrees',
      'or, where approvers hold the keys:',
      'baseline create or baseline export     a draft: written, or of what is seen',
      'baseline sign                          approvers, on machines of their own',
      'baseline adopt                         at the gateway',
    ],
    {
      show: ['assayer baseline show', 'assayer baseline show tx1-b2-r14-07'],
      diff: ['assayer baseline diff', 'assayer baseline diff tx1-b2-r14-07 --json'],
      accept: [
        'assayer baseline accept --all --by carol --note "walked the site"',
        'assayer baseline accept tx1-b2-r14-07 --fact firmware.version',
      ],
      export: [
        'assayer baseline export --all --name tx1-as-delivered --out tx1.yaml',
        'assayer baseline export tx1-b2-r14-07 --out rig.yaml',
      ],
      create: [
        'assayer baseline create tx1-site --label site=tx1 --out tx1-site.yaml',
        'assayer baseline create eco --model "Antminer S21" --expect config.mode=eco',
      ],
      sign: [
        'assayer baseline sign tx1-site.yaml --key alice.key',
        'assayer baseline sign tx1-site.signed.json --key bob.key --keys alice.jwk.json',
      ],
      adopt: ['assayer baseline adopt tx1-site.signed.json'],
      withdraw: ['assayer baseline withdraw tx1-site', 'assayer baseline withdraw 4711 --by carol --yes'],
    },
  );
};
