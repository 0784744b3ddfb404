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
