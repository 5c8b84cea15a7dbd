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
import { checkHealth, edges, lb, nodes } from './health';
import { history } from './history';
import { input } from './input';
import { maintenance } from './maintenance';
import { monitorCluster, pause, resume } from './monitor';
import { notifyTest } from './notifyTest';
import { plan } from './plan';
import { report } from './report';
import { reportServer } from './reportServer';
import { schedules } from './schedules';
import { status } from './status';
import { validate } from './validate';
import { watch } from './watch';

export const verbs: Verb[] = [
  validate, apply, plan, ...doors.map(runVerb), status, nodes, edges, lb, checkHealth, monitorCluster, pause, resume, watch, history, report, cancel, decide, maintenance, schedules, notifyTest,
  explain, input, codecServer, reportServer, completion, complete,
];
