/** Every verb, in the order of `stctl --help`. */
import { doors } from '../doors';
import { runVerb } from '../operationVerbs';
import type { Verb } from '../verb';
import { apply } from './apply';
import { cancel } from './cancel';
import { codecServer } from './codecServer';
import { complete, completion } from './completion';
import { decide } from './decide';
import { explain } from './explain';
import { history } from './history';
import { input } from './input';
import { maintenance } from './maintenance';
import { plan } from './plan';
import { report } from './report';
import { status } from './status';
import { validate } from './validate';
import { watch } from './watch';

export const verbs: Verb[] = [
  validate, apply, plan, ...doors.map(runVerb), status, watch, history, report, cancel, decide, maintenance, explain, input, codecServer, completion, complete,
];
