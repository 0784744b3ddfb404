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

/** What a miner has and tells of, in the names of reads that only one family has. None of them, nor two of them together, is an act. */
export const READING_NOUNS: readonly string[] =
  `algorithm api asc asic asics autotune bmminer board boards bos bosminer cgminer chain chains chip chips clock code conf config
  connection control cooling count ctrl current daemon data date detail details dev device devices devs dns driver eeprom
  efficiency env error errors event events fan fans fault faults fee file filesystem firmware freq frequency fw gateway gpu group
  groups hardware hash hashboard hashboards hashrate hb history host hostname hw info inlet ip kernel language limit limits list
  log logic logs mac mcb memory mhs miner mining mode model name net network noise outlet perf performance pga platform pool pools
  power preset presets profile profiles psu rate sensor sensors serial session setting settings shares sn software speed stat
  state statistics stats status stratum summary sw sys system tag target temp temperature temperatures temps time timezone tuner
  tuning type types uptime usb user users version versions volt voltage wattage web worker workers zone`.split(/\s+/);

/** They say what they get, or end in what they are; … */
const READING_NAME =
  /^(?:get_?(?<what>[a-z][a-z_]*)|(?<named>(?:[a-z][a-z_]*)?(?:info|status|version|stats|details|count)))$/;

/** … and every word of them is known, whether marks divide them or not. */
const isMadeOfNouns = (name: string): boolean => {
  const ends = new Set([0]);
  for (let end = 1; end <= name.length; end += 1)
    if (READING_NOUNS.some((noun) => ends.has(end - noun.length) && name.endsWith(noun, end))) ends.add(end);
    else if (name[end - 1] === '_' && ends.has(end - 1)) ends.add(end);
  return ends.has(name.length);
};

const isReadingName = (name: string): boolean => {
  const { what, named } = READING_NAME.exec(name)?.groups ?? {};
  const words = what ?? named;
  return words !== undefined && isMadeOfNouns(words);
};

/** Whether a command of the CGMiner API is one that reads. */
export const isReadingCommand = (name: string): boolean =>
  READING_COMMANDS.has(name) || (isReadingName(name) && actingWord(name) === undefined);

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
  initialize undo redo deploy maintenance use pick mount force dbg prefer chmod chown grant permit expel kick ban exit die nuke
  launch rbt reconnect unpair pop spawn fork park attach detach evict forget reimage scrub withdraw transfer redirect retarget
  allocate reassociate deauth disarm up new nap boost`.split(/\s+/),
);

/** Also as the beginning of a word that is made of two, as in `dropcaches`; … */
const ACTING_BEGINNING =
  /^(?:clear|zero|drop|swap|dump|flush|nuke|halt|close|eject|inject|insert|rotate|exit|toggle|replace|rename|lock|launch|reconnect|disconnect|unpair|unbind|kick|evict|detach|pop|rst|rbt)(?!(?:s|d|ed|ped|ing|ance|st|ulation|ular|up)$)(?=.)/;

/** … and as its end, as in `minerlock`; a clock and a block are read. */
const ACTING_END =
  /(?:clear|zero|drop|swap|dump|flush|nuke|halt|close|eject|exit|toggle|(?<![cb])lock|launch|reconnect|disconnect|unpair|unbind|kick|rst|rbt)$/;

/** A path that ends in a value behind what it would be given to: `/fan/100`, `/relays/1/high`. */
const GIVEN =
  /\/(?:fans?|relays?|gpios?|pumps?|valves?|clocks?|outlets?|sockets?|plugs?|mining|hashing|heating|heaters?|watts?|wattage|brightness|pwm|duty|active[-_]?pool|current[-_]?pool|[\w-]*(?:freq(?:uency)?|volt(?:age)?s?|power|target|limit|speed|level|profile|preset|mode))(?:\/[\w.-]+)?\/(?:\d+(?:\.\d+)?|high|low|max|min|full|auto|manual|eco|normal|turbo|quiet|true|false)\/?$/i;

/** The word for which a command or a path may not come from outside; undefined where it has none. */
export const actingWord = (name: string): string | undefined => {
  const plain = name.toLowerCase().replace(HARMLESS, ' ');
  return (
    ACTING_PARTS.find((part) => plain.includes(part)) ??
    wordsOf(name).find((word) => ACTING_WORDS.has(word) || ACTING_BEGINNING.test(word) || ACTING_END.test(word)) ??
    GIVEN.exec(name)?.[0]
  );
};

/** The words of a name: divided by marks, or by capitals. */
const wordsOf = (name: string): readonly string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/);
