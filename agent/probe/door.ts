import type { NoReply } from './capture.ts';
import type { Endpoint } from './connection.ts';
import type { Logins, Session } from './logins.ts';
import { noReply } from './reply.ts';
import type { Credential } from './target.ts';

/** What is answered where a device asks for a log-in and none is configured. */
export const NO_CREDENTIAL = noReply('refused', 'no credentials are configured for this device', {
  waits: true,
});

/** What is answered where the store does not take the note without which a log-in that was never taken is not shown. */
const NOT_NOTED = noReply('refused', 'the log-in is not shown: the store does not take a note of it', { waits: true });

/** How a protocol talks within a session that a log-in opens. */
export interface Talk<Answer extends { readonly kind: string }> {
  /** Shows the log-in: what every further request carries, or why there is nothing. `refused` is what the device says to it. */
  readonly open: () => Promise<Session | NoReply>;
  readonly ask: (session: Session) => Promise<Answer | NoReply>;
  readonly isOver: (answer: Answer | NoReply) => boolean;
}

/**
 * One account of one device: its session is used again across looks and opened anew, once, when it is over; a log-in that
 * the device refused, or left without an answer, rests, so that a wrong password cannot lock the account. Pages are known by the name of their question.
 */
export class Door {
  readonly credential: Credential;
  /** Names device and account among all log-ins. */
  readonly name: string;
  readonly #logins: Logins;

  constructor({ host, port }: Endpoint, credential: Credential, logins: Logins) {
    this.credential = credential;
    this.name = `${host} ${port} ${credential.user}`;
    this.#logins = logins;
  }

  get hasSession(): boolean {
    return this.#logins.session(this.name, this.credential) !== undefined;
  }

  /** Why the log-in is not shown now, to a page or at all; undefined where it may be. */
  resting(page?: string): NoReply | undefined {
    const restsMs = this.#logins.restsMs(this.name, this.credential, page);
    if (restsMs <= 0) return undefined;
    const why = this.#logins.whyResting(this.name, this.credential);
    return noReply(why ?? 'refused', `${saidOf(why)} for ${Math.ceil(restsMs / 60_000)} min`, { waits: true });
  }

  /** Whether the device took the log-in when it was shown last. */
  get wasTaken(): boolean {
    return this.#logins.wasTaken(this.name, this.credential);
  }

  /**
   * Why the log-in may not be shown now; undefined where it may. Another look may have been refused it meanwhile. One that a device may
   * refuse is noted first, so that it rests even if the agent dies of it.
   */
  async barred(): Promise<NoReply | undefined> {
    const resting = this.resting();
    if (resting !== undefined) return resting;
    return (await this.#logins.mayShow(this.name, this.credential)) ? undefined : NOT_NOTED;
  }

  /** Whether it may be shown by somebody who remembers by himself what becomes of it; then it counts as shown, until it is `unshown`. */
  mayShowBeside(): boolean {
    return this.#logins.mayShowBeside(this.name, this.credential);
  }

  accepted(page: string): void {
    this.#logins.accepted(this.name, this.credential, page);
  }

  /** It was to be shown beside, and was not, or was taken. */
  unshown(): void {
    this.#logins.unshown(this.name, this.credential);
  }

  /** It was to be shown and did not reach the device. */
  unreached(): void {
    this.#logins.unreached(this.name, this.credential);
  }

  /** Whether it may be shown twice from now on, the first time in vain. */
  get mayRepeat(): boolean {
    return this.#logins.mayRepeat(this.name, this.credential);
  }

  /** It was shown in vain, perhaps not for its password, and is shown once more; false where it may not be. */
  repeats(): boolean {
    return this.#logins.repeats(this.name, this.credential);
  }

  /** Without a page it is the log-in that the device refused, and not what it would have opened. */
  refused(detail: string, page?: string): NoReply {
    this.#logins.refused(this.name, this.credential, page);
    return noReply('refused', detail);
  }

  /** A page answered 403 to the log-in: it refused it, or is for somebody else. */
  forbidden(page: string): void {
    this.#logins.forbidden(this.name, this.credential, page);
  }

  /** The log-in was shown and nothing came that takes or refuses it: it may be the wrong one, whatever became of the answer. */
  unanswered({ reason }: Pick<NoReply, 'reason'>, page?: string): void {
    this.#logins.unanswered(this.name, this.credential, reason, page);
  }

  /** Asks for a page within the session that was opened before, or within one that is opened now. */
  async inSession<Answer extends { readonly kind: string }>(
    page: string,
    talk: Talk<Answer>,
  ): Promise<Answer | NoReply> {
    const kept = this.#logins.session(this.name, this.credential);
    if (kept !== undefined) {
      const answer = await talk.ask(kept);
      if (!talk.isOver(answer)) {
        if (answer.kind !== 'no-reply') this.accepted(page);
        return answer;
      }
      this.#logins.ended(this.name);
    }
    const barred = await this.barred();
    if (barred !== undefined) return barred;
    const session = await talk.open();
    if ('kind' in session) {
      if (session.reason === 'refused') return this.refused(session.detail);
      if (session.dark === true) this.unreached();
      else this.unanswered(session);
      return session;
    }
    this.#logins.opened(this.name, this.credential, session);
    const answer = await talk.ask(session);
    if (talk.isOver(answer)) {
      this.#logins.ended(this.name);
      return this.refused('the session that the device gave does not open this', page);
    }
    // Some devices give a session whatever the password: only what it opens shows that the log-in was accepted.
    if (answer.kind !== 'no-reply') this.accepted(page);
    return answer;
  }
}

const saidOf = (why: NoReply['reason'] | undefined): string => {
  if (why === undefined) return 'the device was shown several log-ins that it did not take: this one waits';
  return `the device ${why === 'refused' ? 'refused the log-in' : 'gave no answer to the log-in'}, which rests`;
};
