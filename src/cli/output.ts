/** What goes to stdout: one value in the format asked for. Tables are for people; every other format is for programs and keeps its shape. */
import { stringify } from 'yaml';
import type { Waits } from '../model/operation';

export const formats = ['table', 'wide', 'json', 'jsonl', 'yaml', 'name'] as const;
export type Format = (typeof formats)[number];

export interface View {
  /** For json and yaml; also the only line of jsonl unless `lines` are given. */
  data: unknown;
  lines?: unknown[];
  /** For people; `wide` when more is worth showing. */
  table: () => string;
  wide?: () => string;
  /** Names alone, one a line. */
  name: () => string;
}

/** The text for stdout, with a newline at its end unless it is empty. */
export function render(format: Format, view: View): string {
  const text = textOf(format, view);
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

function textOf(format: Format, view: View): string {
  switch (format) {
    case 'table':
      return view.table();
    case 'wide':
      return (view.wide ?? view.table)();
    case 'json':
      return JSON.stringify(view.data, null, 2);
    case 'jsonl':
      return (view.lines ?? [view.data]).map((line) => JSON.stringify(line)).join('\n');
    case 'yaml':
      return stringify(view.data, { lineWidth: 0, aliasDuplicateObjects: false });
    case 'name':
      return view.name();
  }
}

export type Cell = string | number | undefined;

/**
 * Columns aligned by spaces. A column that is empty in every row is left out, so that what is unusual shows by itself.
 * @param paint colours one cell after it was padded
 */
export function table(headers: string[], rows: Cell[][], paint: (text: string, header: string, row: number) => string = (text) => text): string {
  const texts = rows.map((row) => headers.map((_, column) => oneLine(String(row[column] ?? ''))));
  const kept = headers.map((_, column) => column).filter((column) => texts.some((row) => row[column] !== ''));
  const widths = kept.map((column) => Math.max(headers[column]!.length, ...texts.map((row) => row[column]!.length)));
  const line = (cells: string[], colour: (text: string, column: number) => string): string =>
    kept.map((column, i) => colour(i === kept.length - 1 ? cells[column]! : cells[column]!.padEnd(widths[i]!), column)).join('  ').trimEnd();
  return [line(headers, (text) => text), ...texts.map((row, i) => line(row, (text, column) => paint(text, headers[column]!, i)))].join('\n');
}

/** Control characters come from far sides and would move the cursor. */
export const oneLine = (text: string): string => text.replace(/\s+/g, ' ').replace(/[\u0000-\u001f\u007f-\u009f]/g, '').trim();

/** 340 → `0.3s`, 72000 → `1m12s`, 3 days → `3d0h`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${String(whole % 60).padStart(2, '0')}s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)}h${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')}m`;
  return `${Math.floor(whole / 86_400)}d${Math.floor((whole % 86_400) / 3600)}h`;
}

/** `waits for 2 sessions, at most 1m40s more (p1, p2)`. */
export const waitsText = ({ for: what, leftMs, names }: Waits): string => oneLine(`waits for ${what}${leftMs === undefined ? '' : `, at most ${duration(leftMs)} more`}${names === undefined ? '' : ` (${names})`}`);

/** Seconds are enough for people: `2026-10-01T12:03:04Z`. */
export const time = (iso: string): string => iso.replace(/\.\d+Z$/, 'Z');

export const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;
