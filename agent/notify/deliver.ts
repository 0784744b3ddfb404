import type { Notification } from '../../shared/notification.ts';
import { AgentError } from '../platform/errors.ts';
import { runCommand } from './command.ts';
import type { Outcome, Parcel } from './outcome.ts';
import type { Target } from './target.ts';
import { postWebhook } from './webhook.ts';

/** One attempt to tell a target something. */
export const deliver = async (
  target: Target,
  notification: Notification,
  { nowMs, signal }: { readonly nowMs: number; readonly signal: AbortSignal },
): Promise<Outcome> => {
  const parcel = parcelOf(notification);
  const timeoutMs = target.timeout_s * 1000;
  try {
    if ('command' in target) return await runCommand(target.command, parcel, { timeoutMs, signal });
    return await postWebhook(target.webhook, parcel, { nowMs, timeoutMs, signal });
  } catch (error) {
    // A file that was good at the start may be gone.
    if (!(error instanceof AgentError)) throw error;
    return { kind: 'failed', message: error.message, remedy: error.remedy };
  }
};

const parcelOf = (notification: Notification): Parcel => {
  const { type, data } = notification;
  const finding = 'finding' in data ? data.finding : undefined;
  return {
    delivery: data.delivery,
    type,
    body: JSON.stringify(notification),
    environment: {
      ASSAYER_TYPE: type,
      ASSAYER_DELIVERY: data.delivery,
      ASSAYER_GATEWAY: data.gateway,
      ASSAYER_TEXT: data.text,
      ...('key' in data ? { ASSAYER_KEY: data.key } : {}),
      ...(finding === undefined
        ? {}
        : {
            ASSAYER_ID: finding.id,
            ASSAYER_SEVERITY: finding.severity,
            ASSAYER_STATE: finding.state,
            ...(finding.device === undefined ? {} : { ASSAYER_DEVICE: finding.device }),
          }),
    },
  };
};
