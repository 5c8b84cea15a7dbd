/** What each error code means to the person who meets it: `stctl explain <code>`. The failure's own message has the particulars. */
import { errorCodes, type ErrorCode } from './errors';
import { didYouMean } from './problems';

export interface Explanation {
  code: ErrorCode;
  happened: string;
  /** Is anything half-done, and does the cluster still serve? */
  state: string;
  /** What happens without anybody doing something. */
  byItself: string;
  /** In the order in which to try them. */
  youCan: string[];
}

/** The explanation of a code, in any mix of capitals; undefined when there is no such code. */
export function explain(code: string): Explanation | undefined {
  const known = codes.find((name) => name.toLowerCase() === code.trim().toLowerCase());
  return known && { code: known, ...explanations[known] };
}

/** What `stctl explain` says of a word that is no code. */
export function unknownCode(word: string): string {
  const meant = didYouMean(word, codes);
  return `there is no error code ${JSON.stringify(word.slice(0, 40))}${meant || `; the codes are ${codes.join(', ')}`}`;
}

/** An explanation as plain text, a paragraph for each question. */
export function explanationText({ code, happened, state, byItself, youCan }: Explanation): string {
  return [`${code}: ${happened}`, '', `State:       ${state}`, `By itself:   ${byItself}`, 'You can:', ...youCan.map((act) => `  - ${act}`)].join('\n');
}

const codes = Object.keys(errorCodes) as ErrorCode[];

const nothingChanged = 'Nothing was changed; the cluster is as it was.';
const nothingHappens = 'Nothing: it is not tried again.';
/** Refusals of the far side may come in the middle of an operation. */
const reportSays = 'The report lists what was done and what is unfinished (stctl status <cluster>); services that ran before the step still run.';
const rerun = 'Run the same operation again (stctl <operation> …): it does only what is missing.';
const triedAgain = 'It is tried again, with longer and longer pauses, until the patience of the operation is used up.';

const explanations: Record<ErrorCode, Omit<Explanation, 'code'>> = {
  InvalidInput: {
    happened: 'The input or the cluster file is wrong. The message names the place (file, line and column, or the JSON field), what was expected and what was found.',
    state: nothingChanged,
    byItself: nothingHappens,
    youCan: ['Correct every place the message names; stctl validate cluster.yaml finds them all at once.', 'For an input in JSON: stctl input <operation> -f cluster.yaml prints one that is right.'],
  },
  SecretUnavailable: {
    happened: 'A reference to a secret (env:, file: or command:) could not be resolved on the worker\'s host, where it is used.',
    state: reportSays,
    byItself: nothingHappens,
    youCan: ['Make the variable, file or command available to the worker: a file readable for its user and for nobody else.', 'Restart the worker when it was an environment variable.', rerun],
  },
  FileUnavailable: {
    happened: 'A known_hosts file or a CA file that the spec names could not be read on the worker\'s host. Without it nobody would be known for whom they say they are.',
    state: reportSays,
    byItself: nothingHappens,
    youCan: ['Put the file where the message says, readable for the worker\'s user; or correct its path in the cluster file.', rerun],
  },
  UnknownCluster: {
    happened: 'No cluster of this name was ever applied or set up on this Temporal server and namespace.',
    state: nothingChanged,
    byItself: nothingHappens,
    youCan: ['Check the name, the address and the namespace: stctl status lists the clusters there are.', 'Apply its file first: stctl apply -f cluster.yaml.'],
  },
  SpecConflict: {
    happened: 'A different spec of this cluster exists, or it was changed since yours was read.',
    state: nothingChanged,
    byItself: nothingHappens,
    youCan: ['See what stands: stctl status <cluster> -o json.', 'Bring your change into it and apply it: stctl apply -f cluster.yaml.', 'Start the operation without a spec: it then uses the one that was applied.'],
  },
  PreconditionFailed: {
    happened: 'One or more prerequisites do not hold. All of them are listed, each with its remedy.',
    state: nothingChanged,
    byItself: nothingHappens,
    youCan: ['Remedy what is listed.', 'Make a plan, which runs the same checks and changes nothing: stctl plan <operation> … -c <cluster>.', rerun],
  },
  PlanChanged: {
    happened: 'The run was given the fingerprint of a plan, and asks for something else than that plan, or the spec, the cluster or what the checks found has changed since.',
    state: nothingChanged,
    byItself: nothingHappens,
    youCan: ['Make a new plan and read what differs: stctl plan <operation> … -c <cluster>.', 'Run that one.'],
  },
  ClusterBusy: {
    happened: 'Another operation holds the lease of this cluster: only one may change it at a time.',
    state: `${nothingChanged} The other operation goes on.`,
    byItself: nothingHappens,
    youCan: ['Watch the other one: stctl watch <its workflow id>.', 'Start yours again with --wait-for-lease 10m (in JSON "waitForLease": "10m") to wait for its end.'],
  },
  AuthenticationFailed: {
    happened: 'A login was refused. One refusal stops all further tries with that credential, because more of them would lock the account.',
    state: reportSays,
    byItself: `${nothingHappens} The worker does not use this credential again until it is another one.`,
    youCan: ['Check the user and what the reference resolves to, on the worker\'s host.', 'Check that the account is not locked: a locked master administrator is a support case of the vendor.', rerun],
  },
  HostKeyMismatch: {
    happened: 'The host key of a machine is unknown, has changed or is revoked. It may be another machine.',
    state: 'Nothing was sent to that machine, no password and no command. The report lists what was done on others.',
    byItself: nothingHappens,
    youCan: ['Ask who installed the machine anew. Compare its fingerprint there: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub.', 'When it is right, replace its line in the known_hosts file that the spec names.', rerun],
  },
  PermissionDenied: {
    happened: 'The login works, but the user may not do this: sudo, the mode of a file, or a privilege in the database.',
    state: reportSays,
    byItself: nothingHappens,
    youCan: ['Allow exactly what the message names; docs/sudoers.example lists every command that is used.', rerun],
  },
  CannotSeeProcesses: {
    happened: 'Whether anything of the product runs on a host can\'t be seen: /proc is mounted there so that a login sees its own processes alone (hidepid), or ps is missing. A stop that can\'t be proven is not called one.',
    state: reportSays,
    byItself: nothingHappens,
    youCan: ['Allow the login the line with ps of docs/sudoers.example; or mount /proc without hidepid, or with gid= of a group that the login is in. A missing ps comes with the package procps.', 'Look yourself, as root, before you count on it that a host stands still: ps -fu <product user>.', rerun],
  },
  TlsRejected: {
    happened: 'The certificate of the Administration Tool, the database, the mail server or Temporal could not be verified.',
    state: 'Nothing was sent there. The report lists what was done elsewhere.',
    byItself: nothingHappens,
    youCan: ['Check that the file named by ca holds the CA that issued it, that it has not expired, and that it names the address used.', rerun],
  },
  StaleEpoch: {
    happened: 'A newer operation has taken this cluster over, and the target refused an effect of the older one. This is the guard against two at once.',
    state: 'The older operation changed nothing more from this moment; the newer one decides.',
    byItself: 'The newer operation goes on.',
    youCan: ['See who works on the cluster: stctl status <cluster>.', 'When nobody does: run the operation again; it takes a new epoch.', 'When its checks say that the record was lost: stctl apply -f cluster.yaml --epoch-at-least, with the number they name.'],
  },
  ForeignCluster: {
    happened: 'The host, database or balancer belongs to another cluster, so the effect was refused.',
    state: 'The target was not changed.',
    byItself: nothingHappens,
    youCan: ['Check the address and the database in the cluster file: two clusters may not share them.', 'When it was taken out of service there, remove it from that cluster first.'],
  },
  Refused: {
    happened: 'The target understood the request and said no; the message repeats its reason.',
    state: reportSays,
    byItself: nothingHappens,
    youCan: ['Cure the reason, in the product\'s own terms.', rerun],
  },
  Unreachable: {
    happened: 'The target did not answer. That says nothing about whether it works: it is unknown, not down.',
    state: reportSays,
    byItself: triedAgain,
    youCan: ['Check network, firewall, address and port from the worker\'s host.', 'When the operation ended: make it reachable and run it again; it does only what is missing.'],
  },
  ConnectionLost: {
    happened: 'The connection ended before an answer came. What was asked for may have happened or not.',
    state: 'Unknown for this one effect; the next try looks first and does only what is missing.',
    byItself: `${triedAgain} A command that was still running on the host is found again and awaited.`,
    youCan: ['Check the network between worker and host.', rerun],
  },
  NotYet: {
    happened: 'What was asked for was accepted, but the state did not come within its time.',
    state: `${reportSays} It may still come about.`,
    byItself: triedAgain,
    youCan: ['Look into the log that the message names, on the host itself.', 'See the state now: stctl status <cluster>.', rerun],
  },
  RemoteCommandFailed: {
    happened: 'A command on a host ended with an error; the message has its exit code and the end of its output.',
    state: reportSays,
    byItself: triedAgain,
    youCan: ['Read its output and the product\'s log on the host (FILEDRIVEHOME/var/logs, install.log).', 'Cure the cause on the host.', rerun],
  },
  Degraded: {
    happened: 'A look at the cluster was asked to fail when something of it does not work, and found that. The message names it.',
    state: 'The cluster serves, with less than it should have. The look changed nothing.',
    byItself: 'Nothing; a Schedule looks again at its next time.',
    youCan: ['See all of it: stctl status <cluster>.', 'Replace or start what is down; a set-up that is run again starts what stands still: stctl set-up-cluster <cluster>.'],
  },
  BelowThreshold: {
    happened: 'A look at the cluster was asked to fail when fewer Servers are Online than policies.minimumNodes asks for, and found that.',
    state: 'The cluster serves with too few Servers, or not at all. The look changed nothing.',
    byItself: 'Nothing; a monitor tells those who are named in notifications.',
    youCan: ['See which and why, with the one cause where there is one: stctl status <cluster>.', 'Bring them back, or replace them: stctl replace-node <node> <new node> -c <cluster>.', 'Correct policies.minimumNodes when it asks for too many.'],
  },
  Cancelled: {
    happened: 'A person cancelled the operation.',
    state: 'What was begun was undone where it can be; what could not be undone is listed as unfinished.',
    byItself: 'Nothing.',
    youCan: ['See what is left: stctl status <cluster>.', rerun],
  },
  Aborted: {
    happened: 'A step could not go on, past the point where things can be undone, and a person decided to abort. Who and why is in the report, as claimed.',
    state: 'The steps that were done stay done; the rest is listed as unfinished.',
    byItself: 'Nothing.',
    youCan: ['Cure what stopped the step.', rerun],
  },
  Interrupted: {
    happened: 'The operation ended without a report: it was terminated, or lost.',
    state: 'The step that was running is half-done; what was begun is listed as unfinished, and the cluster is marked as interrupted.',
    byItself: 'Nothing. Other operations may run; what is left stays listed until this one has been run again and has completed, or a set-up has.',
    youCan: ['See what is left: stctl status <cluster>.', 'Run the same operation again (stctl <operation> …): it takes the lease over, ends what still runs on the hosts, and completes the rest.'],
  },
  Bug: {
    happened: 'A defect of st-orchestrator: something that it believes can\'t happen did.',
    state: 'Before the point of no return what was begun is undone; after it the operation holds and waits for a person.',
    byItself: 'Nothing.',
    youCan: ['Report the message, the workflow id and the history (temporal workflow show --workflow-id <id> -o json); it holds no secrets.', 'When it holds: look at the named host, then answer with the update decide (retry, skip, done-by-hand or abort).'],
  },
};
