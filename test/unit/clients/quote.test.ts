import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { asUser, commandLine, script, sh } from '../../../src/clients/quote';

jest.setTimeout(30_000);

/** No NUL, and no half of a pair of surrogates, which UTF-8 cannot carry. */
const anyArgument = fc.string({ unit: 'binary' }).map((text) => Buffer.from(text.replaceAll('\0', '')).toString());
/** What a shell splits, expands or ends words by. */
const nasty = fc.array(fc.constantFrom("'", '"', '\\', '$', '`', '$(id)', '\n', ' ', '\t', '*', '?', '~', '#', '!', '&', ';', '|', '<', '>', '{a,b}', '-n', '=', 'x', 'é', '日'), { maxLength: 12 }).map((parts) => parts.join(''));

const printsArguments = 'for argument in "$@"; do printf "%s\\0" "$argument"; done';
const received = (command: string, shell = '/bin/sh'): string[] => execFileSync(shell, ['-c', command], { encoding: 'utf8' }).split('\0').slice(0, -1);

test.each(['/bin/sh', '/bin/bash'])('%s gives a program exactly the arguments that were quoted', (shell) => {
  fc.assert(fc.property(fc.array(fc.oneof(anyArgument, nasty), { maxLength: 5 }), (args) => {
    expect(received(sh(['/bin/sh', '-c', printsArguments, 'sh', ...args]), shell)).toEqual(args);
  }), { numRuns: 150 });
});

test('a command line may be quoted into another, as deep as one likes', () => {
  fc.assert(fc.property(nasty, fc.integer({ min: 1, max: 4 }), (argument, depth) => {
    let command = script(printsArguments, [argument]);
    for (let level = 0; level < depth; level += 1) command = script('exec /bin/sh -c "$1"', [command]);
    expect(received(command)).toEqual([argument]);
  }), { numRuns: 60 });
});

test('a NUL byte and an empty command are refused', () => {
  expect(() => sh(['echo', 'a\0b'])).toThrow(expect.objectContaining({ code: 'InvalidInput' }));
  expect(() => sh([])).toThrow(expect.objectContaining({ code: 'InvalidInput' }));
  expect(() => sh([''])).toThrow(expect.objectContaining({ code: 'InvalidInput' }));
});

test('plain words stay readable', () => {
  expect(sh(asUser('axway', ['/opt/axway/SecureTransport/bin/start_tm']))).toBe("env 'LC_ALL=C' sudo -n -u axway /opt/axway/SecureTransport/bin/start_tm");
  expect(commandLine(['echo', ''])).toBe("echo ''");
  expect(commandLine(sh(['echo', 'two words']))).toBe("echo 'two words'");
});
