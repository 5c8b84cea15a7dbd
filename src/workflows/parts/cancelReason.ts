/**
 * Why a run was asked to stop. The SDK tells workflow code that it is cancelled and not why, though the server sends the reason along: it is read as it passes,
 * at every replay anew, by whatever door it came, and costs no event. The worker's bundle names this file among its interceptors.
 */
import type { WorkflowInterceptors } from '@temporalio/workflow';
import { shorten } from '../../model/shorten';

/** Of this run alone: every run has its own modules. */
let reason: string | undefined;

export const interceptors = (): WorkflowInterceptors => ({
  internals: [{
    activate(input, next) {
      const cancel = input.activation.jobs?.find((job) => job.cancelWorkflow)?.cancelWorkflow;
      if (cancel) reason = firstLine(cancel.reason ?? '') || undefined;
      next(input);
    },
  }],
});

/** Undefined when the run was not asked to stop, or nobody said why. */
export const cancelReason = (): string | undefined => reason;

const firstLine = (text: string): string => shorten(text.trim().split('\n')[0] ?? '', 300);
