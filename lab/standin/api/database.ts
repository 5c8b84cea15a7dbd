import { Client } from 'pg';
import { connectionOf } from '../database';
import { ApiError, ok, oneOf, type Request, type Route } from './http';

export const databaseRoutes: Route[] = [
  ['GET', '/configurations/database', (_request, { home }) => ok({
    databaseType: 'PostgreSQL',
    host: home.database['dbHost'],
    port: Number(home.database['dbPort'] ?? 5432),
    databaseName: home.database['dbName'],
    username: home.database['dbUser'],
    useSecureConnection: home.database['externalDBUseSecureConnection'] === 'true',
  })],
  ['POST', '/configurations/database/operations', async (request, { home }) => {
    oneOf(request.query, 'operation', ['test'] as const);
    const form = formOf(request);
    const missing = ['host', 'port', 'databaseName', 'username', 'password'].filter((name) => !form[name]);
    if (missing.length > 0) throw new ApiError(400, `Missing form fields: ${missing.join(', ')}`);
    const client = new Client(connectionOf({
      ...home.database, dbHost: form['host'] ?? '', dbPort: form['port'] ?? '', dbName: form['databaseName'] ?? '', dbUser: form['username'] ?? '', dbPassword: form['password'] ?? '',
    }));
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query('select 1');
      return ok({ isSuccessful: true, message: 'The connection to the database was successful.' });
    } catch (error) {
      return ok({ isSuccessful: false, message: `The connection to the database failed: ${(error as Error).message}` });
    } finally {
      await client.end().catch(() => undefined);
    }
  }],
];

/** The text fields of a multipart form; 400 for any other body. */
function formOf({ headers, body }: Request): Record<string, string> {
  const boundary = /^multipart\/form-data;.*boundary="?([^";]+)"?/i.exec(headers['content-type'] ?? '')?.[1];
  if (!boundary) throw new ApiError(400, 'A multipart form is expected.');
  const fields: Record<string, string> = {};
  for (const part of body.toString('utf8').split(`--${boundary}`)) {
    const [head = '', ...rest] = part.split('\r\n\r\n');
    const name = /name="([^"]+)"/i.exec(head)?.[1];
    if (name) fields[name] = rest.join('\r\n\r\n').replace(/\r\n$/, '');
  }
  return fields;
}
