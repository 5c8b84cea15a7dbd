/** An Administration Tool that answers wrongly, as its host is told to by `lab answers`: a file says how, and is looked for at each request. */
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Home } from './home';

/** `hang`: the headers and no body. */
export const misbehaviours = ['401', '500', 'nonsense', 'hang', 'reset'] as const;
export type Misbehaviour = (typeof misbehaviours)[number];

/** Below FILEDRIVEHOME. */
export const misbehaviourFile = 'var/run/admin.answers';

/** Whether the request was answered so. */
export function misbehaves({ dir }: Home, request: IncomingMessage, response: ServerResponse): boolean {
  switch (told(join(dir, misbehaviourFile))) {
    case '401': response.writeHead(401, { 'content-type': 'text/plain' }).end('Unauthorized'); break;
    case '500': response.writeHead(500, { 'content-type': 'text/plain' }).end('java.lang.NullPointerException'); break;
    case 'nonsense': response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>It works!</body></html>'); break;
    case 'hang': response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 }).write('{'); break;
    case 'reset': request.socket.destroy(); break;
    default: return false;
  }
  return true;
}

function told(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}
