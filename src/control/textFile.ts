/** Texts that people hand over, as a file or on the standard input: never more of them than is looked at, and in UTF-8. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Reads at most `limit` bytes and one more, which tells that there is more: a device or a pipe may have no end. @throws as node:fs does */
export function readBounded(source: string | number, limit: number): Buffer {
  const file = typeof source === 'number' ? source : openSync(source, 'r');
  try {
    if (fstatSync(file).isDirectory()) throw Object.assign(new Error('is a folder'), { code: 'EISDIR' });
    const bytes = Buffer.alloc(limit + 1);
    let size = 0;
    for (;;) {
      const got = readSync(file, bytes, size, bytes.length - size, null);
      size += got;
      if (got === 0 || size > limit) return bytes.subarray(0, size);
    }
  } finally {
    if (typeof source === 'string') closeSync(file);
  }
}

export type Decoded = { text: string } | { line: number; column: number; message: string };

/** The text of a file in UTF-8, with or without a byte-order mark; else where it stops being one. */
export function decodeText(bytes: Buffer): Decoded {
  const mark = bytes.subarray(0, 2).toString('hex');
  if (mark === 'fffe' || mark === 'feff') return { line: 1, column: 1, message: 'the file is UTF-16; save it as UTF-8' };
  const decode = (part: Buffer, whole: boolean): string | undefined => {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(part, { stream: !whole });
    } catch {
      return undefined;
    }
  };
  const text = decode(bytes, true);
  if (text !== undefined) return { text: text.replace(/^\ufeff/, '') };
  let [good, bad] = [0, bytes.length + 1];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (middle <= bytes.length && decode(bytes.subarray(0, middle), false) !== undefined) good = middle;
    else bad = middle;
  }
  // A character that breaks off belongs to neither part: the text ends before it.
  const before = decode(bytes.subarray(0, good), false) ?? '';
  const lines = before.replace(/^\ufeff/, '').split('\n');
  const byte = bytes[Buffer.byteLength(before)]!.toString(16).toUpperCase();
  return { line: lines.length, column: lines.at(-1)!.length + 1, message: `the byte 0x${byte} is no UTF-8; save the file as UTF-8` };
}
