/** The activities of one operation, recorded in a run on the lab, to be performed again one by one without Temporal, each cut at each of its calls. */
import type { WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { createActivities } from '../../../src/activities';
import { nonRetryable, StError } from '../../../src/model/errors';
import type { Authority } from '../../../src/model/targets';
import { createClients } from '../../../src/worker/clients';
import { cutClients, Died, type Cut } from './cuts';

/** One activity as the operation asked for it. */
export interface Recorded {
  /** Activity id: the step's key. */
  key: string;
  activity: string;
  input: unknown;
  authority: Authority;
  /** The same for all that were begun in one moment, which may be under way side by side. */
  moment: number;
}

/** The activities that an operation asked for, from its history; the record's own are left out: those are not performed without Temporal. */
export async function tapeOf(handle: WorkflowHandle): Promise<Recorded[]> {
  const { events } = await handle.fetchHistory();
  const asked = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) => (scheduled ? [scheduled] : []));
  return asked.filter(({ activityType }) => !activityType!.name!.startsWith('leases.')).map(({ activityId, activityType, input, workflowTaskCompletedEventId }) => {
    const [given, authority] = input!.payloads!.map((payload) => defaultPayloadConverter.fromPayload(payload));
    return { key: activityId!, activity: activityType!.name!, input: given, authority: authority as Authority, moment: Number(workflowTaskCompletedEventId) };
  });
}

/** Performs a tape as the operation did: side by side what was begun in one moment, and nothing further before all of that has ended. */
export async function playTape(tape: readonly Recorded[], perform: (recorded: Recorded, index: number) => Promise<unknown>): Promise<void> {
  for (const moment of new Set(tape.map((recorded) => recorded.moment))) {
    const ended = await Promise.allSettled(tape.flatMap((recorded, index) => (recorded.moment === moment ? [perform(recorded, index)] : [])));
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
  }
}

/** More attempts than any activity has calls. */
const most = 250;

export interface Performer {
  /** Performs it undisturbed; answers how many calls that took. */
  perform(recorded: Recorded): Promise<number>;
  /** Performs it under another authority; answers the code of its refusal, or what it answered. */
  performAs(authority: Authority, recorded: Recorded): Promise<unknown>;
  /** Performs it with one cut, and again without; answers whether the cut was reached. */
  cutOnce(recorded: Recorded, cut: Cut): Promise<boolean>;
  /** Cuts the first attempt at its first call, the second at its second, and so on until an attempt ends before its cut; answers how many were cut. */
  cutEverywhere(recorded: Recorded, kind: Cut['kind']): Promise<number>;
  close(): Promise<void>;
}

/** Performs recorded activities with real clients. What no retry would cure is thrown; what Temporal would try again is not. */
export function performer(clientsOf = createClients): Performer {
  const real = clientsOf();
  const attempt = async ({ activity, input, authority }: Recorded, cut?: Cut): Promise<string[]> => {
    const { clients, calls } = cutClients(real, cut);
    const act = createActivities({ clients, temporal: undefined as never, taskQueue: '' })[activity]!;
    try {
      await act(input as never, authority);
    } catch (error) {
      if (!(cut && mayBeTriedAgain(error))) throw new Error(`${activity}, ${cut ? `${cut.kind} at call ${cut.at} (${calls[cut.at - 1] ?? 'not reached'})` : 'not cut'}: ${(error as Error).message}`, { cause: error });
    }
    return calls;
  };
  const perform = async (recorded: Recorded): Promise<number> => (await attempt(recorded)).length;
  return {
    perform,
    async performAs(authority, { activity, input }) {
      const act = createActivities({ clients: real, temporal: undefined as never, taskQueue: '' })[activity]!;
      return act(input as never, authority).catch((error: unknown) => {
        if (error instanceof StError) return error.code;
        throw error;
      });
    },
    async cutOnce(recorded, cut) {
      const reached = (await attempt(recorded, cut)).length >= cut.at;
      if (reached) await perform(recorded);
      return reached;
    },
    async cutEverywhere(recorded, kind) {
      for (let at = 1; at < most; at += 1) if ((await attempt(recorded, { at, kind })).length < at) return at - 1;
      throw new Error(`${recorded.key} was cut ${most} times and is not done`);
    },
    close: () => real.close(),
  };
}

const mayBeTriedAgain = (error: unknown): boolean => error instanceof Died || (error instanceof StError && !nonRetryable.has(error.code));
