import { promises as fs, type Stats } from 'node:fs';
import { join, posix } from 'node:path';
import { utils, type Attributes, type SFTPWrapper } from 'ssh2';

const { OPEN_MODE, STATUS_CODE } = utils.sftp;

type Handle = { kind: 'file'; file: fs.FileHandle; path: string; written: boolean } | { kind: 'folder'; path: string; names: string[] | undefined };

export interface SftpOptions {
  folder: string;
  refusing: () => boolean;
  /** Called when a client closes a file it wrote, with the path as the client names it; only when it has resolved does the client hear that all is well. */
  received(path: string, size: number): Promise<void>;
  /** Called when the session ended while such a file was open. */
  broken(path: string, size: number): Promise<void>;
}

/**
 * Serves one SFTP session below `folder`; the client sees it as `/` and can't leave it. New file operations are refused while
 * `refusing()`, running ones go on: that is what a graceful stop promises.
 */
export function serveSftp(sftp: SFTPWrapper, { folder, refusing, received, broken }: SftpOptions): void {
  const handles = new Map<number, Handle>();
  let next = 0;
  const seen = (path: string) => posix.normalize(`/${path}`);
  const real = (path: string) => join(folder, seen(path));
  const keep = (handle: Handle): Buffer => {
    const buffer = Buffer.alloc(4);
    handles.set(next, handle);
    buffer.writeUInt32BE(next);
    next += 1;
    return buffer;
  };
  const find = (buffer: Buffer): Handle => {
    const handle = buffer.length === 4 ? handles.get(buffer.readUInt32BE()) : undefined;
    if (!handle) throw new Error('no such handle');
    return handle;
  };
  /** Runs one operation and turns its failure into an SFTP status. */
  const answer = (id: number, work: () => Promise<void>): void => {
    work().catch((error: NodeJS.ErrnoException) => sftp.status(id, codeOf(error), error.message));
  };
  const operate = (id: number, work: () => Promise<void>): void => {
    if (refusing()) sftp.status(id, STATUS_CODE.FAILURE, 'The server is shutting down.');
    else answer(id, work);
  };
  const done = (id: number) => sftp.status(id, STATUS_CODE.OK);
  const stat = (id: number, path: string) => operate(id, async () => sftp.attrs(id, attributesOf(await fs.stat(real(path)))));

  sftp.on('OPEN', (id, path, flags) => operate(id, async () => {
    const file = await fs.open(real(path), modeOf(flags));
    sftp.handle(id, keep({ kind: 'file', file, path: seen(path), written: (flags & (OPEN_MODE.WRITE | OPEN_MODE.APPEND)) !== 0 }));
  }));
  sftp.on('READ', (id, buffer, offset, length) => answer(id, async () => {
    const handle = find(buffer);
    if (handle.kind !== 'file') throw new Error('not a file');
    const { bytesRead, buffer: data } = await handle.file.read(Buffer.alloc(Math.min(length, 256 * 1024)), 0, Math.min(length, 256 * 1024), offset);
    if (bytesRead === 0) sftp.status(id, STATUS_CODE.EOF);
    else sftp.data(id, data.subarray(0, bytesRead));
  }));
  sftp.on('WRITE', (id, buffer, offset, data) => answer(id, async () => {
    const handle = find(buffer);
    if (handle.kind !== 'file') throw new Error('not a file');
    await handle.file.write(data, 0, data.length, offset);
    done(id);
  }));
  sftp.on('FSTAT', (id, buffer) => answer(id, async () => {
    const handle = find(buffer);
    sftp.attrs(id, attributesOf(handle.kind === 'file' ? await handle.file.stat() : await fs.stat(handle.path)));
  }));
  sftp.on('CLOSE', (id, buffer) => answer(id, async () => {
    const handle = find(buffer);
    handles.delete(buffer.readUInt32BE());
    if (handle.kind === 'file') {
      const { size } = await handle.file.stat();
      await handle.file.close();
      if (handle.written) await received(handle.path, size);
    }
    done(id);
  }));
  sftp.on('OPENDIR', (id, path) => operate(id, async () => {
    sftp.handle(id, keep({ kind: 'folder', path: real(path), names: await fs.readdir(real(path)) }));
  }));
  sftp.on('READDIR', (id, buffer) => answer(id, async () => {
    const handle = find(buffer);
    if (handle.kind !== 'folder') throw new Error('not a folder');
    if (!handle.names) return sftp.status(id, STATUS_CODE.EOF);
    const entries = await Promise.all(handle.names.map(async (name) => entryOf(name, await fs.lstat(join(handle.path, name)).catch(() => undefined))));
    handle.names = undefined;
    sftp.name(id, entries.flat());
  }));
  sftp.on('STAT', stat);
  sftp.on('LSTAT', stat);
  sftp.on('REALPATH', (id, path) => {
    const absolute = posix.normalize(`/${path}`).replace(/(.)\/$/, '$1');
    sftp.name(id, [{ filename: absolute, longname: absolute, attrs: {} as Attributes }]);
  });
  sftp.on('MKDIR', (id, path) => operate(id, async () => { await fs.mkdir(real(path)); done(id); }));
  sftp.on('RMDIR', (id, path) => operate(id, async () => { await fs.rmdir(real(path)); done(id); }));
  sftp.on('REMOVE', (id, path) => operate(id, async () => { await fs.unlink(real(path)); done(id); }));
  sftp.on('RENAME', (id, from, to) => operate(id, async () => { await fs.rename(real(from), real(to)); done(id); }));
  // Times and modes of a client are accepted and not kept: the product keeps its own.
  sftp.on('SETSTAT', (id) => done(id));
  sftp.on('FSETSTAT', (id) => done(id));
  // The client's end of file is not answered by ssh2 itself, and OpenSSH waits for that answer.
  sftp.on('end', () => sftp.end());
  sftp.on('close', () => {
    const abandon = async (handle: Handle & { kind: 'file' }): Promise<void> => {
      const { size } = await handle.file.stat();
      await handle.file.close();
      if (handle.written) await broken(handle.path, size);
    };
    for (const handle of handles.values()) if (handle.kind === 'file') abandon(handle).catch(() => undefined);
    handles.clear();
  });
}

function modeOf(flags: number): string {
  if (flags & OPEN_MODE.APPEND) return 'a';
  if (flags & OPEN_MODE.WRITE) return flags & OPEN_MODE.TRUNC ? 'w' : flags & OPEN_MODE.CREAT ? (flags & OPEN_MODE.EXCL ? 'wx' : 'w') : 'r+';
  return 'r';
}

function codeOf(error: NodeJS.ErrnoException): number {
  if (error.code === 'ENOENT') return STATUS_CODE.NO_SUCH_FILE;
  if (error.code === 'EACCES' || error.code === 'EPERM') return STATUS_CODE.PERMISSION_DENIED;
  return STATUS_CODE.FAILURE;
}

function attributesOf(stats: Stats): Attributes {
  return { mode: stats.mode, uid: stats.uid, gid: stats.gid, size: stats.size, atime: Math.floor(stats.atimeMs / 1000), mtime: Math.floor(stats.mtimeMs / 1000) };
}

function entryOf(filename: string, stats: Stats | undefined) {
  if (!stats) return [];
  const attrs = attributesOf(stats);
  const kind = stats.isDirectory() ? 'drwxr-x---' : '-rw-r-----';
  const longname = `${kind} 1 st st ${String(stats.size).padStart(10)} ${stats.mtime.toISOString().slice(0, 10)} ${filename}`;
  return [{ filename, longname, attrs }];
}
