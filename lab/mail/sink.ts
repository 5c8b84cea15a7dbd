/**
 * The mail server of a lab: takes every mail, over STARTTLS, and writes it into a folder before it says so. Runs on a host of its own.
 * Arguments: folder, port, certificate, key.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { SMTPServer } from 'smtp-server';

export interface SunkMail {
  /** ISO-8601 UTC: when it was taken. */
  at: string;
  from: string;
  to: string[];
  /** The mail as it came over the wire. */
  raw: string;
}

const [folder = '', port = '', certificate = '', key = ''] = process.argv.slice(2);
let taken = 0;

const server = new SMTPServer({
  cert: fs.readFileSync(certificate), key: fs.readFileSync(key), authOptional: true, logger: false,
  onMailFrom: (_address, session, done) => done(session.secure ? null : Object.assign(new Error('STARTTLS first'), { responseCode: 530 })),
  onData(stream, { envelope }, done) {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      taken += 1;
      const mail: SunkMail = { at: new Date().toISOString(), from: envelope.mailFrom === false ? '' : envelope.mailFrom.address, to: envelope.rcptTo.map(({ address }) => address), raw: Buffer.concat(chunks).toString('utf8') };
      const file = path.join(folder, `${Date.now()}-${process.pid}-${taken}.json`);
      // Whole or not at all, for those who read meanwhile.
      fs.writeFileSync(`${file}.new`, JSON.stringify(mail));
      fs.renameSync(`${file}.new`, file);
      done();
    });
  },
});
server.on('error', () => undefined);
server.listen(Number(port));
