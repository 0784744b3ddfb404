import { type Reader, rateFactor, scaled, text, whenPresent } from './readers.ts';

/** A hash rate as a number and the letter of its unit, `15011G` or `12.44T`, in H/s. */
export const rateWithLetter: Reader<number> = (value) =>
  whenPresent(text(value), (found) => {
    const [, digits, letter = ''] = /^(\d+(?:\.\d+)?) *([KMGTPE]?)$/i.exec(found) ?? [];
    return scaled(rateFactor(`${letter}H/s`) ?? 1)(digits ?? false);
  });
