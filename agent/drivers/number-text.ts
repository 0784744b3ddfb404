/**
 * Numbers that a driver takes for texts, such as a version `4.10`. Parsing keeps what a number is worth and loses how it
 * was spelled, so whoever reads a fact has to know which of such texts it is made of.
 */

const taken: number[] = [];

/** A number as text, in the spelling of this program. */
export const numberText = (value: number): string => {
  taken.push(value);
  return String(value);
};

/** The numbers that were taken for texts since `forgetNumbers`. */
export const numbersTaken = (): readonly number[] => taken;

export const forgetNumbers = (): void => {
  taken.length = 0;
};
