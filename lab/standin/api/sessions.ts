import { randomBytes } from 'node:crypto';
import { loginAdministrator } from '../accounts';
import { authenticateByKey } from './apiKeys';
import { ApiError, type Api, type Reply, type Request } from './http';

interface AdminSession {
  loginName: string;
  csrfToken: string;
  referer: string;
}

/** The cookie sessions of one Administration Tool; they end with it. */
export function makeAdminSessions() {
  const sessions = new Map<string, AdminSession>();

  /**
   * Who calls: by an API key or by Basic credentials, which need no token, even to write; else by the session cookie, whose writes need
   * the `csrfToken` header. Throws the product's plain-text 401 and 403.
   */
  async function authenticate(request: Omit<Request, 'administrator' | 'params'>, api: Api): Promise<string> {
    const { referer } = request.headers;
    if (!referer) throw new ApiError(403, 'The Referer header is required.', true);
    const key = request.headers['securetransport-api-key'];
    if (typeof key === 'string') return authenticateByKey(api, key, request.method);
    const basic = /^Basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (basic) {
      const [name = '', ...rest] = Buffer.from(basic, 'base64').toString('utf8').split(':');
      if (await loginAdministrator(api.pool, name, rest.join(':'))) return name;
      throw new ApiError(401, 'Unauthorized', true);
    }
    const session = sessions.get(cookieOf(request.headers.cookie));
    if (!session) throw new ApiError(401, 'Unauthorized', true);
    if (session.referer !== referer) throw new ApiError(403, 'The Referer header is not that of the session.', true);
    const writes = !['GET', 'HEAD'].includes(request.method);
    if (writes && request.headers['csrftoken'] !== session.csrfToken) throw new ApiError(403, 'The csrfToken header is missing or wrong.', true);
    return session.loginName;
  }

  function logIn(loginName: string, referer: string): Reply {
    const id = randomBytes(16).toString('hex');
    const session = { loginName, csrfToken: randomBytes(16).toString('hex'), referer };
    sessions.set(id, session);
    return {
      status: 200,
      body: { message: 'Logged in' },
      headers: { 'set-cookie': `JSESSIONID=${id}; Path=/; Secure; HttpOnly`, csrfToken: session.csrfToken },
    };
  }

  /** Ends the session whose cookie came along. With Basic credentials the cookie doesn't count: that call's own session is the one that ends. */
  function logOut(request: Request): Reply {
    if (!request.headers.authorization) sessions.delete(cookieOf(request.headers.cookie));
    return { status: 204 };
  }

  return { authenticate, logIn, logOut };
}

function cookieOf(header: string | undefined): string {
  return /(?:^|;\s*)JSESSIONID=([^;]+)/.exec(header ?? '')?.[1] ?? '';
}
