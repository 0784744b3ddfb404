/**
 * Loaded into an agent before its own modules (`node --import`): the wall clock of that process runs true until SIGUSR2
 * sets it by the next of the steps in STEPS_MS. The monotonic clock is left alone, as by a real `date --set`.
 */
const steps = (process.env.STEPS_MS ?? '').split(',').map(Number);
const TrueDate = Date;
let offsetMs = 0;

class SteppedDate extends TrueDate {
  constructor(...args: readonly unknown[]) {
    // The constructor of Date has forms that no one signature tells.
    super(...((args.length === 0 ? [SteppedDate.now()] : args) as [number]));
  }

  static override now(): number {
    return TrueDate.now() + offsetMs;
  }
}

globalThis.Date = SteppedDate as DateConstructor;
process.on('SIGUSR2', () => {
  offsetMs += steps.shift() ?? 0;
});
