/** Something an operator can fix. `code` is `area.problem`; `remedy` is what to do, as a command where there is one. */
export class AgentError extends Error {
  readonly code: string;
  readonly remedy: string;

  constructor(problem: { code: string; message: string; remedy: string; cause?: unknown }) {
    super(problem.message, { cause: problem.cause });
    this.name = 'AgentError';
    this.code = problem.code;
    this.remedy = problem.remedy;
  }
}

/** Whether the system refused something to the user of this process. */
export const isRefused = (error: unknown): boolean => {
  const { code } = error as NodeJS.ErrnoException;
  return error instanceof Error && (code === 'EACCES' || code === 'EPERM');
};

/** Only the user of the agent may do this. `what` ends in a verb: … may not be read. */
export const noAccess = (what: string, cause: unknown): AgentError =>
  new AgentError({
    code: 'agent.no-access',
    message: `${what} by this user`,
    remedy: 'run the command as the user of the agent: sudo -u <user> assayer …',
    cause,
  });
