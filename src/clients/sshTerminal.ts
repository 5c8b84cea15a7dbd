/** A command at a terminal of its own: what it asks for there is answered as a person would, and nothing of the answers is ever shown. */
import type { ClientChannel, PseudoTtyOptions } from 'ssh2';
import { StError } from '../model/errors';
import { scrub } from './scrub';
import type { Secret } from './secrets';

/** What is said at a terminal. One for each command: it remembers what it has answered. */
export interface Talk {
  /** Hears all that was written since the last answer, at each piece of it and, `quiet`, once nothing more has come for a while. Answers what is typed, why the command is ended, or nothing: it waits. */
  heard(text: string, quiet: boolean): string | StError | undefined;
  /** What the terminal showed without what was typed: a program may turn the echo on between two of its questions. */
  hide(shown: string): string;
}

/** For commands that need a terminal and ask nothing there. */
export const noTalk: Talk = { heard: () => undefined, hide: (shown) => shown };

/** Nothing that is typed is shown, and no carriage return comes with a line's end: ECHO, ECHOE, ECHOK, ECHONL and ONLCR of RFC 4254 §8. */
export const silentTerminal: PseudoTtyOptions = { rows: 24, cols: 200, width: 0, height: 0, term: 'dumb', modes: { ECHO: 0, ECHOE: 0, ECHOK: 0, ECHONL: 0, ONLCR: 0 } };

/** Silence after which an open line is taken for a question, in milliseconds. */
const quietMs = 3_000;
/** More than any question is long, in characters. */
const longest = 4_096;

/** Lets `talk` hear what comes and types what it answers; `breakOff` ends the command. */
export function converse(channel: ClientChannel, talk: Talk, breakOff: (why: StError) => void): { hear(chunk: Buffer): void; end(): void } {
  let since = '';
  let timer: NodeJS.Timeout | undefined;
  const tell = (quiet: boolean): void => {
    const answer = talk.heard(since, quiet);
    if (answer === undefined) return;
    since = '';
    clearTimeout(timer);
    if (typeof answer === 'string') channel.write(answer);
    else breakOff(answer);
  };
  return {
    hear(chunk) {
      since = `${since}${chunk.toString('utf8')}`.slice(-longest);
      clearTimeout(timer);
      timer = setTimeout(() => tell(true), quietMs);
      tell(false);
    },
    end: () => clearTimeout(timer),
  };
}

/** Colours and the like, which some programs write to every terminal. */
const escapes = /\u001b\[[0-9;?]*[A-Za-z]/g;
const asksForPassword = /\bpass(word|phrase)\b[^\n]*[:?>]\s*$/i;
/** A password that is asked for, and is another than that of the file. */
const ofSomethingElse = /sudo|\blog ?in\b|\buser\b|\badmin|\bold\b|\bcurrent\b|key ?store|\bdatabase\b/i;
const looksLikeQuestion = /[:?>\])]\s*$/;

/**
 * Types a password wherever one is asked for, `most` times. Anything else that is asked ends the command: nobody knows what an answer would do.
 * @throws nothing; the command ends with Refused, which cites the question
 */
export function passwordTalk(password: Secret, most: number): Talk {
  let typed = 0;
  const refuse = (why: string, line: string): StError => new StError('Refused', `${why}: "${scrub(line).slice(-200)}"; nothing was answered`);
  return {
    heard(text, quiet) {
      const lines = text.replaceAll(escapes, '').replaceAll('\r', '').split('\n').map((line) => line.trim());
      const open = lines.at(-1)!;
      // Some write a question and end its line.
      const asked = open === '' && quiet ? (lines.findLast((line) => line !== '') ?? '') : open;
      if (asksForPassword.test(asked)) {
        if (ofSomethingElse.test(asked)) return refuse('it asked for the password of something else', asked);
        if (typed === most) return refuse(`it asked for a password ${most + 1} times`, asked);
        typed += 1;
        return `${password.reveal()}\n`;
      }
      return quiet && looksLikeQuestion.test(open) ? refuse('it asked for something that is no password', open) : undefined;
    },
    hide: (shown) => shown.replaceAll(password.reveal(), '***'),
  };
}
