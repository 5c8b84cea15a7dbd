/**
 * The behaviours of SecureTransport that this project is built on, one test each, named by the section of the fact sheet that tells it
 * (`lab/standin/README.md`, "Conformance", says how to point them at a standing Server). Here they run against two Servers of a lab, lies switched on.
 */
import { cluster } from '../helpers/conformance/cluster';
import { daemonOperations, daemons } from '../helpers/conformance/daemons';
import { events } from '../helpers/conformance/events';
import { host, hostCommands } from '../helpers/conformance/host';
import { httpLogins } from '../helpers/conformance/httpLogins';
import { lists } from '../helpers/conformance/lists';
import { lockouts, logins } from '../helpers/conformance/logins';
import { logs } from '../helpers/conformance/logs';
import { options } from '../helpers/conformance/options';
import { sessions } from '../helpers/conformance/sessions';
import { makeSuite } from '../helpers/conformance/suite';
import { openTarget, type Target } from '../helpers/conformance/target';
import { transactionManager, transactionManagerStops } from '../helpers/conformance/transactionManager';
import { zones } from '../helpers/conformance/zones';

jest.setTimeout(60_000);

let target: Target;
const suite = makeSuite(() => target);

beforeAll(async () => { target = await openTarget(); }, 90_000);
afterEach(() => suite.clean());
afterAll(() => target?.close(), 60_000);

describe('logging in', () => logins(suite));
describe('lists, answers and errors', () => lists(suite));
describe('the Server and its cluster', () => cluster(suite));
describe('options', () => options(suite));
describe('network zones', () => zones(suite));
describe('the Transaction Manager', () => transactionManager(suite));
describe('daemons and listeners', () => daemons(suite));
describe('client sessions', () => sessions(suite));
describe('partners over HTTP', () => httpLogins(suite));
describe('events', () => events(suite));
describe('logs', () => logs(suite));
describe('the host', () => host(suite));
// What would do harm: only where ST_CONFORMANCE_DESTRUCTIVE says so, or on a lab.
describe('stopping and starting daemons', () => daemonOperations(suite));
describe('stopping the Transaction Manager', () => transactionManagerStops(suite));
describe('commands on the host', () => hostCommands(suite));
describe('lock-outs', () => lockouts(suite));
