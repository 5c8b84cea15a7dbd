/** CA files on the worker's host, which say whom to trust. */
import { readFile } from 'node:fs/promises';
import { StError } from '../model/errors';

/** Its text. `place`: for whose certificate. @throws StError FileUnavailable */
export const readCa = (place: string, path: string): Promise<string> => readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
  throw new StError('FileUnavailable', `${place}: the CA file ${path} could not be read (${error.code}).`, { cause: error });
});
