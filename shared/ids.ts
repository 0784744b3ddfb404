/** The form of the ids of gateways, collectors, devices, tenants and documents, each a topic level: no `/ + # $ _` (mqtt.md §2). */
export const ID = /^[a-z0-9][a-z0-9-]{0,62}$/;

export const isId = (text: string): boolean => ID.test(text);

/** True for a topic prefix of one or two levels, each of the form of an id. */
export const isPrefix = (text: string): boolean => {
  const levels = text.split('/');
  return levels.length <= 2 && levels.every(isId);
};
