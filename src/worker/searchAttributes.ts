/** A search attribute that is not registered wedges every run that sets it, for ever; so the worker looks before it takes work. */
import { temporal } from '@temporalio/proto';
import type { NativeConnection } from '@temporalio/worker';
import { searchAttributes } from '../model/ids';

const { IndexedValueType } = temporal.api.enums.v1;

/** Names of ours that the namespace lacks or has with another type than Keyword. */
export interface AttributeProblems {
  missing: string[];
  wrongType: string[];
}

/** @throws the service's error when the server does not answer or does not let us look */
export async function searchAttributeProblems(connection: NativeConnection, namespace: string): Promise<AttributeProblems> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const typeOf = (name: string): number | undefined => customAttributes[name] ?? undefined;
  return {
    missing: searchAttributes.filter((name) => typeOf(name) === undefined),
    wrongType: searchAttributes.filter((name) => typeOf(name) !== undefined && typeOf(name) !== IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD),
  };
}

/** What to do about it, with the command to copy; `undefined` when all is well. */
export function searchAttributeRemedy({ missing, wrongType }: AttributeProblems, namespace: string, address: string): string | undefined {
  const where = `--namespace ${namespace} --address ${address}`;
  const lines: string[] = [];
  if (missing.length) {
    lines.push(`The namespace "${namespace}" lacks the search attributes ${missing.join(', ')}, which every operation sets. Register them, then start the worker again:`);
    lines.push(`  temporal operator search-attribute create ${where} ${missing.map((name) => `--name ${name}`).join(' ')} ${missing.map(() => '--type Keyword').join(' ')}`);
  }
  if (wrongType.length) {
    lines.push(`The search attributes ${wrongType.join(', ')} of namespace "${namespace}" must be of type Keyword. Remove them, register them anew, then start the worker again:`);
    lines.push(`  temporal operator search-attribute remove ${where} ${wrongType.map((name) => `--name ${name}`).join(' ')}`);
    lines.push(`  temporal operator search-attribute create ${where} ${wrongType.map((name) => `--name ${name}`).join(' ')} ${wrongType.map(() => '--type Keyword').join(' ')}`);
  }
  return lines.length ? lines.join('\n') : undefined;
}
