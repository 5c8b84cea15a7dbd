/** The updates that operations send to the record of a cluster, as much of them as must be there before anything is changed. */
import { z } from 'zod';

const text = z.string();
const texts = z.array(text);
const list = z.array(z.unknown());
const holder = z.object({ workflowId: text, firstExecutionRunId: text });

const acquireShape = z.object({ holder, operation: text, at: text, about: texts.optional(), evict: holder.extend({ because: text, unfinished: texts }).optional() });
const releaseShape = z.object({
  holder, line: z.object({ operation: text, workflowId: text, epoch: z.number(), startedAt: text, endedAt: text, outcome: text, summary: text }), unfinished: texts, members: list.optional(), debts: list.optional(),
});

export const isAcquireRequest = (request: unknown): boolean => acquireShape.safeParse(request).success;
export const isReleaseRequest = (request: unknown): boolean => releaseShape.safeParse(request).success;
