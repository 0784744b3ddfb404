import manifest from '../../package.json' with { type: 'json' };

/** The version of this agent, as in `session` statements and `--version`. */
export const VERSION: string = manifest.version;
