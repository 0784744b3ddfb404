/** What `--help` shows of the verbs that plans and waivers share: for one called `id`, drafted in `<draft>.yaml`. */
export const examplesOf = (
  kind: 'plan' | 'waiver',
  { id, draft }: { readonly id: string; readonly draft: string },
) => ({
  sign: [
    `assayer ${kind} sign ${draft}.yaml --key alice.key`,
    `assayer ${kind} sign ${draft}.signed.json --key bob.key --keys alice.jwk.json`,
  ],
  adopt: [`assayer ${kind} adopt ${draft}.signed.json`, `assayer ${kind} adopt ${draft}.yaml --by carol`],
  list: [`assayer ${kind} list`, `assayer ${kind} list --json`],
  close: [`assayer ${kind} close ${id} --by carol`, `assayer ${kind} close ${id} --yes`],
});
