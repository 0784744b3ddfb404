import { type AcceptanceResult, acceptSeen, type Judging } from '../../agent/desk/acceptance.ts';
import { learnedBlind } from '../../agent/desk/blind.ts';
import { type AcceptancePreview, previewAcceptance } from '../../agent/desk/preview.ts';
import { unsignedFacts } from '../../agent/desk/unsigned.ts';
import type { ControlRequest } from '../../agent/platform/control.ts';
import type { Recording } from './recording.ts';

type Request<Do extends ControlRequest['do']> = Omit<Extract<ControlRequest, { do: Do }>, 'do'>;

/** What a running agent answers about acceptances, of the devices of a recording; approvals take as many `people` at most. */
export const deskOf = (recording: Recording, people: () => number = () => 0) => {
  const { states, orders, recorder, clock, store } = recording;
  const fleet = { state: (id: string) => states.get(id), states: () => [...states.values()] };
  const judging = (): Judging => ({
    people: people(),
    standing: orders.standing,
    nowMs: clock.wall,
    store,
    isLearnedBlind: learnedBlind(store),
    unsigned: unsignedFacts(store, recording.origin, () => [...states.values()]),
  });
  return {
    fleet,
    preview: (request: Request<'preview-accept'>): readonly AcceptancePreview[] =>
      previewAcceptance(fleet, request, judging()),
    accept: ({ break_glass: breakGlass = false, ...request }: Request<'accept'>): AcceptanceResult =>
      acceptSeen(fleet, { ...request, breakGlass }, { ...judging(), recorder }),
  };
};
