/** `stctl plan`. */
import { doors } from '../doors';
import { planVerb } from '../operationVerbs';
import type { Verb } from '../verb';

export const plan: Verb = {
  usage: 'plan',
  summary: 'Show what an operation would do: real checks, no change',
  examples: ['stctl plan set-up-cluster -f cluster.yaml', 'stctl plan set-up-cluster demo', 'stctl plan set-up-cluster demo -o name      the fingerprint alone'],
  verbs: doors.map(planVerb),
};
