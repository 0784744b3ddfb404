import type { LoadedConfig } from '../../config/load.ts';
import type { AgentError } from '../../platform/errors.ts';
import type { Live } from '../live.ts';

/** What one check found: `ok`, `warn` for what works and should be looked at, `fail` for what does not work. */
export interface Result {
  readonly level: 'ok' | 'warn' | 'fail';
  readonly message: string;
  readonly remedy?: string;
}

/** What a check may look at. `agent` is what a running agent says of itself, or why none answers. */
export interface Visit extends LoadedConfig {
  readonly agent: Live | AgentError;
  readonly nowMs: number;
}

/** One thing that has to be right for an agent to work. An `AgentError` that it throws is a failure with its remedy. */
export interface Check {
  readonly name: string;
  readonly run: (visit: Visit) => readonly Result[] | Promise<readonly Result[]>;
}

export const ok = (message: string): Result => ({ level: 'ok', message });

export const warn = (message: string, remedy: string): Result => ({ level: 'warn', message, remedy });

export const fail = (message: string, remedy: string): Result => ({ level: 'fail', message, remedy });

export const failed = ({ message, remedy }: AgentError): Result => fail(message, remedy);
