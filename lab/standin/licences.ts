import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { parseProperties, type Properties } from './properties';

export type LicenceState = 'Valid' | 'Missing' | 'Invalid' | 'Expired';

export interface Licences {
  core: LicenceState;
  features: LicenceState;
  /** The Enterprise Cluster option of a valid features licence. */
  enterpriseCluster: boolean;
  /** Number of Servers that may run a TM; null when no valid features licence says. */
  clusterNodes: number | null;
}

/** Reads both licence files below `conf/`. They are read at each use: copying them there is how the product is licensed. */
export function readLicences(home: { dir: string }, now: Date = new Date()): Licences {
  const core = read(join(home.dir, 'conf/filedrive.license'));
  const features = read(join(home.dir, 'conf/st.license'));
  const nodes = Number(features?.['ClusterNodes']);
  // The licence of an Edge counts no nodes.
  const counted = Number.isInteger(nodes) && nodes > 0;
  const featuresState = stateOf(features, now, counted || features?.['ServerType'] === 'Edge');
  const valid = featuresState === 'Valid';
  return {
    core: stateOf(core, now, Number(core?.['Accounts']) > 0),
    features: featuresState,
    enterpriseCluster: valid && features?.['EnterpriseCluster'] === 'true',
    clusterNodes: valid && counted ? nodes : null,
  };
}

function read(file: string): Properties | undefined {
  try {
    return parseProperties(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function stateOf(licence: Properties | undefined, now: Date, complete: boolean): LicenceState {
  if (!licence) return 'Missing';
  if (licence['Product'] !== 'SecureTransport' || !complete) return 'Invalid';
  if (licence['Host'] && licence['Host'] !== hostname()) return 'Invalid';
  const today = now.toISOString().slice(0, 10);
  if (licence['ValidFrom'] && today < licence['ValidFrom']) return 'Invalid';
  if (licence['ValidTo'] && today > licence['ValidTo']) return 'Expired';
  return 'Valid';
}
