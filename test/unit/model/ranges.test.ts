import { expandRange } from '../../../src/model/ranges';

describe('a range', () => {
  test.each<[string, string[]]>([
    ['st1', ['st1']],
    ['st[1:3]', ['st1', 'st2', 'st3']],
    ['st[01:03]', ['st01', 'st02', 'st03']],
    ['st[098:101].example.com', ['st098.example.com', 'st099.example.com', 'st100.example.com', 'st101.example.com']],
    ['10.0.[1:2].7', ['10.0.1.7', '10.0.2.7']],
    ['fd00::[9:11]', ['fd00::9', 'fd00::10', 'fd00::11']],
    ['st[5:5]', ['st5']],
    ['st[0:1]', ['st0', 'st1']],
  ])('%s stands for %p', (text, texts) => expect(expandRange(text)).toEqual({ texts }));

  test.each<[string, string]>([
    ['st[3:1]', 'ends before it begins'],
    ['st[01:9]', 'the same number of digits'],
    ['st[1:101]', 'longer than 100'],
    ['st[1:99999999999]', 'one range of the form'],
    ['st[1:3:2]', 'one range of the form'],
    ['st[a:c]', 'one range of the form'],
    ['st[1-3]', 'one range of the form'],
    ['st[1:2][1:2]', 'one range of the form'],
    ['st[1:2', 'one range of the form'],
    ['[fe80::1]', 'one range of the form'],
  ])('%s is refused: %s', (text, problem) => expect(expandRange(text)).toEqual({ problem: expect.stringContaining(problem) }));
});
