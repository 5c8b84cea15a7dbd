/**
 * The command line of the lab.
 */
import * as path from 'node:path';
import { Argument, Command } from 'commander';
import { count, lies, milliseconds, percent, setting } from './arguments';
import { setCableFault } from './badCable';
import { freeze, powerOff } from './hosts';
import { addLoadCommands } from './load/commands';
import { locked } from './lock';
import { memory } from './memory';
import { describeMails, mails } from './mail/host';
import { setCable } from './network';
import { requirePlan } from './place';
import { fileDriveHome, hostNamed, type LabHost, type LabOptions, type LabPlan } from './plan';
import { snapshot } from './snapshot';
import { misbehaviours, type Misbehaviour } from './standin/misbehaviour';
import { describe, status } from './status';
import { empty, fill, parseWay, setBlocked, skew, tellAnswers, tellMount } from './trouble';
import { down, powerOn, reset, up } from './up';
import { startWatcher, toWatch, waitForEnd } from './watch';

interface UpFlags {
  name: string; servers: number; edges: number; reserve: number; reserveEdges: number; spare: number; productTime: number; lies?: string | false; seed: number;
  ipv6?: boolean; autostart?: boolean; licensedNodes?: number; postgres: Record<string, string>; mail?: boolean; balancers: number; dieWith?: number;
}

const program = new Command('lab').description('Practice estate: hosts of network and process namespaces with real sshd, PostgreSQL and HAProxy, and stand-in Servers and Edges.');
const command = (name: string, text: string): Command => program.command(name).description(text).option('--name <name>', 'name of the lab', 'lab');
const print = (text: string): void => { process.stdout.write(`${text}\n`); };

command('up', 'build the estate anew and start it')
  .option('--servers <n>', 'Servers of the main cluster', count, 3)
  .option('--edges <n>', 'Edges of the main cluster', count, 0)
  .option('--reserve <n>', 'Servers that only cluster-grown.yaml names, to be added', count, 0)
  .option('--reserve-edges <n>', 'Edges that only cluster-grown.yaml names', count, 0)
  .option('--spare <n>', 'Servers of a second cluster', count, 0)
  .option('--product-time <duration>', 'unit of the product\'s durations', milliseconds, 300)
  .option('--lies <names>', 'only these half-truths of the product, separated by commas', lies)
  .option('--no-lies', 'the product answers only what is so')
  .option('--seed <n>', 'seed of the product\'s lies', count, 1)
  .option('--ipv6', 'hosts have IPv6 addresses only')
  .option('--autostart', 'Servers and Edges start the product by themselves at power-on')
  .option('--licensed-nodes <n>', 'cluster nodes that the features licence allows (default: as many as Servers)', count)
  .option('--mail', 'a mail server, which the cluster files name; "lab mails" shows what came in')
  .option('--balancers <n>', 'hosts with HAProxy, all alike', count, 1)
  .option('--postgres <name=value>', 'a PostgreSQL setting; may be repeated', setting, {})
  .option('--die-with <pid>', 'take the lab down when this process is gone', count)
  .action(async (flags: UpFlags) => {
    const options: LabOptions = {
      name: flags.name, servers: flags.servers, edges: flags.edges, reserve: flags.reserve, reserveEdges: flags.reserveEdges, spare: flags.spare, productTimeMs: flags.productTime, seed: flags.seed,
      lies: flags.lies === false ? '0' : flags.lies ?? '1', ...(flags.ipv6 === true ? { ipv6: true } : {}), ...(flags.autostart === true ? { autostart: true } : {}),
      ...(flags.licensedNodes === undefined ? {} : { licensedNodes: flags.licensedNodes }), postgres: flags.postgres, ...(flags.mail === true ? { mail: true } : {}), balancers: flags.balancers,
    };
    const watched = flags.dieWith === undefined ? undefined : toWatch(flags.dieWith);
    const plan = await locked(flags.name, async () => {
      const built = await up(options);
      if (watched !== undefined) startWatcher(flags.name, watched);
      return built;
    });
    print(describe(await status(plan)));
  });

command('down', 'end everything and remove it').action(({ name }: { name: string }) => locked(name, () => down(name)));
command('reset', 'back to how `up` left it, with the same keys and addresses').action(({ name }: { name: string }) => locked(name, () => reset(name)));

command('status', 'what there is and how it is')
  .option('-o, --output <format>', 'text or json', 'text')
  .action(async ({ name, output }: { name: string; output: string }) => {
    const now = await status(requirePlan(name));
    print(output === 'json' ? JSON.stringify(now, null, 2) : describe(now));
  });

command('memory', 'what its processes take of the machine\'s memory')
  .option('-o, --output <format>', 'text or json', 'text')
  .action(({ name, output }: { name: string; output: string }) => {
    const now = memory(requirePlan(name));
    print(output === 'json' ? JSON.stringify(now) : `${now.pssMb} MB in ${now.processes} processes`);
  });

command('snapshot', 'the comparable end state: no times, process ids or logs')
  .option('-o, --output <format>', 'json', 'json')
  .action(async ({ name }: { name: string }) => print(JSON.stringify(await snapshot(requirePlan(name)), null, 2)));

command('mails', 'the mails that the lab\'s mail server has taken, oldest first')
  .option('-o, --output <format>', 'text or json', 'text')
  .action(({ name, output }: { name: string; output: string }) => {
    const found = mails(requirePlan(name));
    print(output === 'json' ? JSON.stringify(found, null, 2) : describeMails(found));
  });

const onHost = (name: string, text: string, act: (plan: LabPlan, host: LabHost) => Promise<unknown>): void => {
  command(name, text).argument('<host>').action(async (host: string, flags: { name: string }) => {
    const plan = requirePlan(flags.name);
    await act(plan, hostNamed(plan, host));
  });
};
/** When it happened: this program's own start is no part of it. */
const told = (what: string, host: LabHost, at: Date): void => print(`${host.name} ${what} at ${at.toISOString()}`);
onHost('kill', 'cut the power of a host', async (plan, host) => told('lost its power', host, await powerOff(plan, host)));
onHost('start', 'power a host on, on the same folders', powerOn);
onHost('freeze', 'stop all processes of a host where they stand', (plan, host) => freeze(plan, host, true));
onHost('thaw', 'let a frozen host go on', (plan, host) => freeze(plan, host, false));
onHost('cut', 'pull a host\'s network cable', async (plan, host) => {
  const at = new Date();
  await setCable(plan, host, 'down');
  told('lost its cable', host, at);
});
onHost('heal', 'plug it in again', (plan, host) => setCable(plan, host, 'up'));

command('slow', 'make a host\'s cable slow, so that a round trip takes so much longer; 0ms: as before').argument('<host>').argument('<duration>', 'such as 300ms', milliseconds)
  .action((host: string, slowMs: number, { name }: { name: string }) => setCableFault(requirePlan(name), hostNamed(requirePlan(name), host), { slowMs }));
command('loss', 'let a host\'s cable lose packets, in both directions; 0%: as before').argument('<host>').argument('<share>', 'such as 10%', percent)
  .action((host: string, lossPercent: number, { name }: { name: string }) => setCableFault(requirePlan(name), hostNamed(requirePlan(name), host), { lossPercent }));
command('skew', 'set a host\'s clock ahead (or behind), as "date" tells it; 0s: right again').argument('<host>').argument('<duration>', 'such as 5s', milliseconds).option('--behind', 'behind, not ahead', false)
  .action((host: string, ms: number, { name, behind }: { name: string; behind: boolean }) => skew(requirePlan(name), hostNamed(requirePlan(name), host), behind ? -ms : ms));
command('mount-options', 'say that a Server has mounted the shared files with these options (rw,noac,sync)').argument('<host>').argument('<options>')
  .action((host: string, options: string, { name }: { name: string }) => tellMount(requirePlan(name), hostNamed(requirePlan(name), host), options));
command('answers', 'let the Administration Tool of a Server or an Edge answer wrongly; well: as ever').argument('<host>').addArgument(new Argument('<how>').choices([...misbehaviours, 'well']))
  .action((host: string, how: Misbehaviour | 'well', { name }: { name: string }) => tellAnswers(requirePlan(name), hostNamed(requirePlan(name), host), how));
for (const [verb, text, blocked] of [['block', 'let nothing from one host reach a port of another (8088, 8088/tcp, 8088/udp; left out: nothing at all)', true], ['unblock', 'take that back', false]] as const) {
  command(verb, text).argument('<from>').argument('<to>').argument('[port]')
    .action((from: string, to: string, port: string | undefined, { name }: { name: string }) => {
      const plan = requirePlan(name);
      return setBlocked(plan, hostNamed(plan, from), hostNamed(plan, to), parseWay(port), blocked);
    });
}
for (const [verb, text, act] of [['fill', 'make the disk below a folder of a host full', fill], ['empty', 'take that back', empty]] as const) {
  command(verb, text).argument('<host>').argument('[folder]', 'on the host', path.dirname(fileDriveHome))
    .action((host: string, folder: string, { name }: { name: string }) => act(requirePlan(name), hostNamed(requirePlan(name), host), folder));
}

addLoadCommands(command, print);

program.command('watch', { hidden: true }).requiredOption('--name <name>').requiredOption('--pid <pid>').requiredOption('--started <ticks>')
  .action(async ({ name, pid, started }: { name: string; pid: string; started: string }) => {
    await waitForEnd({ pid: Number(pid), started });
    await locked(name, () => down(name));
  });

// The hosts' users are others than the one who runs this, whatever that one's habits are.
process.umask(0o022);
program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`lab: ${(error as Error).message}\n`);
  process.exitCode = 1;
});
