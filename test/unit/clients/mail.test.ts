import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { createMailer, type Mail, type SmtpTarget } from '../../../src/clients/mail';
import { makeCertificate } from '../standin/tls';
import { freePort } from './support/ports';

jest.setTimeout(30_000);

interface Sink {
  target: SmtpTarget;
  mails: { raw: string; to: string[]; secure: boolean; user?: string }[];
  logins: string[];
}

let folder: string;
const servers: SMTPServer[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'st-mail-'));
  makeCertificate(folder, '127.0.0.1');
  writeFileSync(join(folder, 'password'), 'mail-password\n', { mode: 0o600 });
});
afterEach(async () => { await Promise.all(servers.splice(0).map((server) => new Promise<void>((resolve) => server.close(() => resolve())))); });
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function sink(tls: SmtpTarget['tls'], options: SMTPServerOptions = {}): Promise<Sink> {
  const mails: Sink['mails'] = [];
  const logins: string[] = [];
  const server = new SMTPServer({
    secure: tls === 'tls', key: readFileSync(join(folder, 'tls.key')), cert: readFileSync(join(folder, 'tls.crt')), authOptional: true,
    hideSTARTTLS: tls !== 'starttls', logger: false,
    onAuth(auth, _session, done) {
      logins.push(auth.username ?? '');
      if (auth.password === 'mail-password') done(null, { user: auth.username });
      else done(new Error('Invalid login'));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        mails.push({ raw: Buffer.concat(chunks).toString(), to: session.envelope.rcptTo.map((one) => one.address), secure: session.secure, user: session.user as string | undefined });
        done();
      });
    },
    ...options,
  });
  servers.push(server);
  const port = await freePort();
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { target: { host: '127.0.0.1', port, tls, ca: join(folder, 'tls.crt') }, mails, logins };
}

const mail: Mail = {
  from: 'st-orchestrator@example.com', to: ['ops@example.com', 'boss@example.com'], subject: 'demo: st2 is Offline ⚠', text: 'st2 is Offline since 03:00.\n', html: '<p>st2 is <b>Offline</b></p>',
  messageId: '<monitor.demo.st2.7@st-orchestrator>', references: ['<monitor.demo.1@st-orchestrator>', '<monitor.demo.st2.6@st-orchestrator>'],
};

test.each(['none', 'starttls', 'tls'] as const)('a mail is sent with tls: %s, marked as automatic, under its own stable id and in its thread', async (tls) => {
  const { target, mails } = await sink(tls);
  const mailer = createMailer();
  await mailer.sendMail(target, mail);
  await mailer.sendMail(target, mail);
  expect(mails).toHaveLength(2);
  expect(mails[0]).toMatchObject({ to: mail.to, secure: tls !== 'none' });
  for (const { raw } of mails) {
    expect(raw).toMatch(/^Message-ID: <monitor\.demo\.st2\.7@st-orchestrator>\r$/m);
    expect(raw.replace(/\r\n\s+/g, ' ')).toMatch(/^References: <monitor\.demo\.1@st-orchestrator> <monitor\.demo\.st2\.6@st-orchestrator>\r$/m);
    expect(raw).toMatch(/^In-Reply-To: <monitor\.demo\.st2\.6@st-orchestrator>\r$/m);
    expect(raw).toMatch(/^Auto-Submitted: auto-generated\r$/m);
    expect(raw).toContain('text/html');
  }
});

test('starttls is required, not tried', async () => {
  const { target, mails } = await sink('none', { disabledCommands: ['STARTTLS'] });
  await expect(createMailer().sendMail({ ...target, tls: 'starttls' }, mail)).rejects.toMatchObject({ code: 'TlsRejected' });
  expect(mails).toEqual([]);
});

test('a certificate that cannot be verified is refused', async () => {
  for (const tls of ['tls', 'starttls'] as const) {
    const { target, mails } = await sink(tls);
    await expect(createMailer().sendMail({ ...target, ca: undefined }, mail)).rejects.toMatchObject({ code: 'TlsRejected' });
    expect(mails).toEqual([]);
  }
});

test('a login is made over TLS, a refused one only once, and never in plain text', async () => {
  const { target, mails, logins } = await sink('starttls');
  const mailer = createMailer({ env: { WRONG: 'wrong-password' } });
  await mailer.sendMail({ ...target, user: 'ops', password: `file:${folder}/password` }, mail);
  expect(mails[0]).toMatchObject({ user: 'ops' });
  const wrong = { ...target, user: 'ops', password: 'env:WRONG' };
  await expect(mailer.sendMail(wrong, mail)).rejects.toMatchObject({ code: 'AuthenticationFailed', message: expect.not.stringContaining('wrong-password') });
  await expect(mailer.sendMail(wrong, mail)).rejects.toMatchObject({ code: 'AuthenticationFailed', message: expect.stringContaining('Not tried again') });
  expect(logins).toEqual(['ops', 'ops']);
  await expect(mailer.sendMail({ ...wrong, tls: 'none' }, mail)).rejects.toMatchObject({ code: 'InvalidInput' });
});

test('a refused recipient is refused for good, a greylisted one may be tried again', async () => {
  const saying = (responseCode: number): SMTPServerOptions => ({ onRcptTo: (_address, _session, done) => done(Object.assign(new Error('not here'), { responseCode })) });
  await expect(createMailer().sendMail((await sink('none', saying(550))).target, mail)).rejects.toMatchObject({ code: 'Refused', message: expect.stringContaining('550') });
  await expect(createMailer().sendMail((await sink('none', saying(450))).target, mail)).rejects.toMatchObject({ code: 'Unreachable', message: expect.stringContaining('450') });
});

test('a header cannot be smuggled in through a subject', async () => {
  const { target, mails } = await sink('none');
  await createMailer().sendMail(target, { ...mail, subject: 'demo\r\nBcc: thief@example.com' });
  expect(mails[0]?.to).toEqual(mail.to);
  expect(mails[0]?.raw).not.toMatch(/^Bcc:/m);
});

test('nobody there, and one who says nothing, are Unreachable or not finished in time', async () => {
  await expect(createMailer().sendMail({ host: '127.0.0.1', port: await freePort(), tls: 'none' }, mail)).rejects.toMatchObject({ code: 'Unreachable' });
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as { port: number };
  await expect(createMailer().sendMail({ host: '127.0.0.1', port, tls: 'none' }, mail, { timeoutMs: 200 })).rejects.toMatchObject({ code: expect.stringMatching(/Unreachable|ConnectionLost/) });
  silent.close();
});
