/**
 * What a name from outside may say. A built-in driver is read by a reviewer before it is shipped, one from outside by nobody
 * but its author. Commands come from a list of those that only read. Paths are as many as there are makers: they are refused
 * for words that say of them that they act, beside what `probe/allow.ts` refuses to everybody. A read that is refused here by
 * mistake costs a fact; an act that is let through costs a miner.
 */

/** Commands that read and change nothing, in every family that has them. */
export const READING_COMMANDS: ReadonlySet<string> = new Set(
  `version config summary pools devs edevs devdetails notify stats estats coin privileged usbstats lcd asccount pgacount
  gpucount noncenum fans temps tempctrl tempsensor tunerstatus groups power profiles limits atm autotunerget healthctrl
  hashboardopts poolopts minerstatus events session status`.split(/\s+/),
);

/** Names of reads that only one family has: they say what they get, or end in what they are. */
const READING_NAME = /^(?:get_?[a-z]\w*|[a-z]\w*(?:info|status|version|stats|details|count))$/;

/** Whether a command of the CGMiner API is one that reads. */
export const isReadingCommand = (name: string): boolean =>
  READING_COMMANDS.has(name) || (READING_NAME.test(name) && actingWord(name) === undefined);

/** Harmless words in which a word below would be found. */
const HARMLESS = /settings?(?![a-z])|address|offset|offline|asset|stopped|lifecycle/g;

/** Wherever they stand. */
const ACTING_PARTS: readonly string[] =
  `set start stop reboot reload shutdown enable disable switch save write update upgrade
  install flash erase format factory delete remove addpool addgroup newpool delpool create apply commit rollback restore backup
  import export upload download unlock logon logoff login logout passw token apikey api-key api_key authkey auth-key auth_key secret shell exec kill quit
  abort cancel curtail terminat sleep wake pause resume suspend throttl cycle off hashon softon ledon poweron power_on power-on
  turnon hotplug lockstats quota priority failover debug adjust blink identify refine calibrat shutoff standby hibernat wipe
  reinit recover destroy purge dismiss authenticat activat bootby clearhash facrst minerrst provision
  defaultconf firconf select choose assign usepool overclock underclock overvolt undervolt dismount unmount powerdown power_down
  power-down adduser add_user add-user useradd newuser deluser userdel usermod moduser changeuser chuser chpass chpw changepass
  changepw newpass revert revoke downgrade .sh .exe`.split(/\s+/);

/** As a word by itself. */
const ACTING_WORDS: ReadonlySet<string> = new Set(
  `add del rm set put post patch run do start on off go open close clear clean zero test selftest scan ping trace traceroute
  testing nslookup lookup find locate identify led beep cmd command action act do call invoke eval send push sync fetch load dump drop move
  copy rename edit modify change replace toggle connect disconnect join leave pair bind unbind register unregister activate
  deactivate boot halt lock ssh telnet tune train burn program provision claim check ota otawww shut down turn init trigger
  flush insert inject swap rotate renew relay unset override rst hwrst ztp relaunch respawn bounce eject release drain
  initialize undo redo deploy maintenance use pick mount force dbg prefer chmod chown grant permit expel kick ban`.split(
    /\s+/,
  ),
);

/** A path that ends in a value behind what it would be given to: `/fan/100`, `/relays/1/high`. */
const GIVEN =
  /\/(?:fans?|fan_?speed|relays?|gpios?|pumps?|valves?|freq(?:uency)?|clocks?|volt(?:age)?s?|power|target|limit|profile|preset|mode)(?:\/[\w.-]+)?\/(?:\d+(?:\.\d+)?|high|low|max|min|full|auto|manual|true|false)\/?$/i;

/** The word for which a command or a path may not come from outside; undefined where it has none. */
export const actingWord = (name: string): string | undefined => {
  const plain = name.toLowerCase().replace(HARMLESS, ' ');
  return (
    ACTING_PARTS.find((part) => plain.includes(part)) ??
    wordsOf(name).find((word) => ACTING_WORDS.has(word)) ??
    GIVEN.exec(name)?.[0]
  );
};

/** The words of a name: divided by marks, or by capitals. */
const wordsOf = (name: string): readonly string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/);
