/** `stctl input`. */
import { doors } from '../doors';
import { inputVerb } from '../operationVerbs';
import type { Verb } from '../verb';

export const input: Verb = {
  usage: 'input',
  summary: 'Print the input of an operation as JSON, for the temporal CLI and the Temporal UI',
  examples: [
    'stctl input setUpCluster -f cluster.yaml > set-up-cluster.json',
    'temporal workflow start --type setUpCluster --task-queue st-orchestrator --workflow-id set-up-cluster/demo --fail-existing --input-file set-up-cluster.json',
  ],
  verbs: doors.map(inputVerb),
};
