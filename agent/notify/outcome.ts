/** How one attempt to tell a target went. The world as expected: a value, not an exception. */
export type Outcome =
  | { readonly kind: 'delivered'; readonly detail: string }
  | {
      readonly kind: 'failed';
      readonly message: string;
      readonly remedy: string;
      /** The receiver asks to be left alone for this, ms. */
      readonly afterMs?: number;
      /** What a program wrote, for the person who tries it; never for the log lines. */
      readonly output?: string;
    }
  /** The agent ends. */
  | { readonly kind: 'stopped' };

/** What is told, in the form in which it goes out. */
export interface Parcel {
  readonly delivery: string;
  readonly type: string;
  /** The JSON of the notification. */
  readonly body: string;
  /** What a command finds in its environment, beside the body. */
  readonly environment: { readonly [name: string]: string };
}
