/**
 * Words that say of a command or a path that it acts. A built-in driver is read by a reviewer before it is shipped, one from
 * outside by nobody but its author: its names are refused for any of these words, beside what `probe/allow.ts` refuses to
 * everybody. A read that is refused here by mistake costs a fact; an act that is let through costs a miner.
 */

/** Harmless words in which a word below would be found. */
const HARMLESS = /settings?(?![a-z])|address|offset|asset|stopped/g;

/** Wherever they stand. */
const ACTING_PARTS: readonly string[] =
  `set start stop reboot reload shutdown enable disable switch save write update upgrade
  install flash erase format factory delete remove addpool addgroup newpool delpool create apply commit rollback restore backup
  import export upload download unlock logon logoff login logout passw token secret shell exec kill quit abort cancel curtail
  sleep wake pause resume suspend poweron poweroff power_on power_off power-on power-off hotplug lockstats quota priority
  failover debug adjust blink reidentify refine calibrat shutoff shut-off shut_off turnon turnoff standby hibernat wipe
  reinit recover destroy purge .sh .exe`.split(/\s+/);

/** As a word by itself. */
const ACTING_WORDS: ReadonlySet<string> = new Set(
  `add del rm set put post patch run do start on off go open close clear clean zero test selftest scan ping trace traceroute
  testing nslookup lookup find locate identify led beep cmd command action act do call invoke eval send push sync fetch load dump drop move
  copy rename edit modify change replace toggle connect disconnect join leave pair bind unbind register unregister activate
  deactivate boot halt lock ssh telnet tune train burn program provision claim check ota otawww shut down turn init trigger
  flush insert inject swap rotate renew relay unset override`.split(/\s+/),
);

/** The word for which a command or a path may not come from outside; undefined where it has none. */
export const actingWord = (name: string): string | undefined => {
  const plain = name.toLowerCase().replace(HARMLESS, ' ');
  return ACTING_PARTS.find((part) => plain.includes(part)) ?? wordsOf(name).find((word) => ACTING_WORDS.has(word));
};

/** The words of a name: divided by marks, or by capitals. */
const wordsOf = (name: string): readonly string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/);
