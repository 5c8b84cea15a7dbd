/** The ways between the machines of a site, each pair in both directions: a cluster with one port shut in one direction half works. */
import type { CheckResult, Problem } from '../model/operation';
import { cachePorts, echoPort, portsText } from '../model/ports';
import type { Authority, ServerTarget } from '../model/targets';
import { script } from '../clients/quote';
import { abortSignal } from './context';
import type { Clients } from './clients';
import { networkArgs, networkScript, type NetworkAnswer, type NetworkPlan, type Shut } from './networkScript';
import { sha256 } from './product';

export interface PeerServer {
  name: string;
  address: string;
  adminPort: number;
}

export interface PeerEdge {
  name: string;
  address: string;
  ports: number[];
}

export interface NetworkActivities {
  /**
   * From this Server's host to all others and to the Edges. Run for all Servers at once: each host answers the others while it asks.
   * The round trip is measured to the `later` ones only, so that each pair is told once.
   */
  checkNetwork(input: { server: ServerTarget; peers: (PeerServer & { later: boolean })[]; edges: PeerEdge[]; roundTripLimitMs: number }, authority: Authority): Promise<CheckResult<{ node: string }>>;
}

/** Others begin later by an SSH login; a way that loses two packets in a row is not shut. */
const times = { windowMs: 4_000, silenceMs: 3_500, longestMs: 9_000 };
const budgetMs = 20_000;

export function networkActivities({ clients }: { clients: Clients }): NetworkActivities {
  return {
    async checkNetwork({ server, peers, edges, roundTripLimitMs }, authority) {
      const plan: NetworkPlan = {
        word: sha256(authority.operation).slice(0, 16), name: server.node, address: server.address, listen: cachePorts, ...times,
        peers: [
          ...peers.map(({ name, address, adminPort }) => ({ name, address, tcp: [echoPort, ...cachePorts, adminPort], udp: cachePorts, cache: true })),
          ...edges.map(({ name, address, ports }) => ({ name, address, tcp: ports, udp: [], cache: false })),
        ],
      };
      const { stdout } = await clients.ssh.run(server.ssh, script(networkScript, networkArgs(plan)), { timeoutMs: budgetMs, signal: abortSignal(), purpose: `${server.node}: trying the ways to the others` });
      const answer = JSON.parse(stdout) as NetworkAnswer;
      return { facts: { node: server.node }, problems: networkProblems(server.node, answer, [...peers, ...edges], { roundTripLimitMs, later: peers.filter(({ later }) => later).map(({ name }) => name) }) };
    },
  };
}

const whys: Record<Exclude<Shut, 'unproven'>, string> = { silent: 'no answer', 'turned away': 'something turns it away' };
const open = 'open what is shut, in this direction, in every firewall between the two and on both hosts';

/** What a host's answer means, in sentences; each way is told by the host that tried it. */
export function networkProblems(node: string, answer: NetworkAnswer, others: readonly { name: string; address: string }[], { roundTripLimitMs, later }: { roundTripLimitMs: number; later: readonly string[] }): Problem[] {
  if (answer.python === false) {
    return [{ what: `${node}: the ports between the machines can't be tried from here, since there is no python3`, remedy: `install it, or try ${portsText([echoPort, ...cachePorts])} (TCP) and ${portsText(cachePorts)} (UDP) by hand, in both directions`, level: 'warning' }];
  }
  const problems: Problem[] = [];
  // An earlier try of ours, cut off, may hold them for some seconds more: no reason to refuse.
  if (answer.listened.tcp.length === 0) problems.push({ what: `${node}: the ports ${portsText(cachePorts)} are all taken`, remedy: 'free one of them for the cluster cache', level: 'warning' });
  for (const { name, address } of others) {
    const place = name === address ? name : `${name} (${address})`;
    if (answer.unknown.includes(name)) problems.push({ what: `${node}: the name ${address} is not known here`, remedy: 'add it to DNS or /etc/hosts' });
    const shut = answer.shut.filter(([peer, , , why]) => peer === name && why !== 'unproven');
    for (const why of ['silent', 'turned away'] as const) {
      const ports = portsOf(shut.filter((one) => one[3] === why));
      if (ports !== '') problems.push({ what: `${node}: ${place} can't be reached at ${ports} (${whys[why]})`, remedy: open });
    }
    const unproven = portsOf(answer.shut.filter(([peer, , , why]) => peer === name && why === 'unproven'));
    if (unproven !== '' && shut.length === 0) {
      problems.push({ what: `${node}: whether ${place} can be reached at ${unproven} is not known: nothing answered there that could have`, remedy: 'run the check again when both hosts can be logged in to', level: 'warning' });
    }
    const ms = answer.roundTripMs[name];
    if (later.includes(name) && ms !== undefined && ms > roundTripLimitMs) {
      problems.push({ what: `${node}: the round trip to ${place} takes ${ms.toFixed(ms < 10 ? 1 : 0)} ms (limit ${roundTripLimitMs} ms)`, remedy: 'the Servers of a cluster stand in one network of low latency: bring them together, or raise policies.maximumRoundTrip, knowing what it costs' });
    }
  }
  return problems;
}

/** "TCP 7, 8088-8093 and UDP 8088". */
function portsOf(ways: NetworkAnswer['shut']): string {
  const of = (wanted: string): string => portsText(ways.flatMap(([, protocol, port]) => (protocol === wanted ? [port] : [])));
  return [['TCP', of('tcp')], ['UDP', of('udp')]].flatMap(([protocol, ports]) => (ports ? [`${protocol} ${ports}`] : [])).join(' and ');
}
