import type { Command } from 'commander';

/** Lines that can be typed as they stand, below the options of `--help`. */
export const examples = (command: Command, ...lines: readonly string[]): Command =>
  withBlock(command, lines.length === 1 ? 'Example' : 'Examples', lines);

/** The same for verbs of a group, by their names, and the order in which they are used below those of the group. */
export const groupExamples = (
  group: Command,
  order: readonly string[],
  verbs: { readonly [verb: string]: readonly string[] },
): void => {
  withBlock(group, 'In order', order);
  for (const [name, lines] of Object.entries(verbs)) {
    const verb = group.commands.find((one) => one.name() === name);
    if (verb === undefined) throw new Error(`there is no verb ${group.name()} ${name}`);
    examples(verb, ...lines);
  }
};

const withBlock = (command: Command, heading: string, lines: readonly string[]): Command =>
  command.addHelpText('after', `\n${heading}:\n${lines.map((line) => `  ${line}`).join('\n')}`);
