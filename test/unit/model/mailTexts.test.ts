import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { templateProblem } from '../../../src/model/mailTemplates';
import { mailText } from '../../../src/model/mailTexts';
import { mailSamples } from './mailSamples';

const golden = join(__dirname, 'golden');

describe('a mail', () => {
  test.each(Object.keys(mailSamples))('of %s is the one that was looked at (UPDATE_GOLDEN=1 writes it)', (name) => {
    const { subject, text, html, messageId, references } = mailText(mailSamples[name]!);
    const found = { [`mail.${name}.txt`]: `Subject: ${subject}\nMessage-ID: ${messageId}\nReferences: ${references.join(' ')}\n\n${text}`, [`mail.${name}.html`]: html };
    for (const [file, content] of Object.entries(found)) {
      if (process.env.UPDATE_GOLDEN) {
        mkdirSync(golden, { recursive: true });
        writeFileSync(join(golden, file), content);
      }
      expect(content).toBe(readFileSync(join(golden, file), 'utf8'));
    }
  });

  test('says nothing in HTML that an event could have smuggled in, and nothing in its subject but one line', () => {
    const { subject, html } = mailText(mailSamples['hostile']!);
    expect(html).not.toMatch(/<(script|img|b|i)\b/);
    expect(subject).not.toMatch(/[\r\n]/);
    expect(subject).toContain('{{id}}');
  });

  test('is the same however often it is made, and belongs to its incident', () => {
    const event = mailSamples['operation-ended']!;
    expect(mailText(event)).toEqual(mailText(event));
    expect(mailText(event)).toMatchObject({ messageId: '<mft-prod.set-up-cluster.0a8f.ended@st-orchestrator>', references: ['<mft-prod.set-up-cluster.0a8f@st-orchestrator>'] });
    expect(mailText(mailSamples['node-failed']!).references).toEqual([]);
  });

  test('is written in the words of the templates, whose variables are filled in once', () => {
    const event = mailSamples['hostile']!;
    const { subject, text, html } = mailText(event, { subject: '{{severity}} {{ cluster }} {{site}}!', body: '{{summary}}\n{{facts}}\n{{youCan}}' });
    expect(subject).toBe('info mft-prod !');
    expect(text).toBe(`${event.summary}\n<b>name</b>: <i>value</i>\n- ${event.youCan[0]}\n`);
    expect(html).toContain('&lt;b&gt;name&lt;/b&gt;: &lt;i&gt;value&lt;/i&gt;');
  });

  test('has a subject of at most 180 characters', () => {
    expect([...mailText({ ...mailSamples['hostile']!, summary: '🙂'.repeat(400) }).subject]).toHaveLength(180);
  });
});

test.each([
  ['{{summary}} on {{ node }}', undefined],
  ['no variable at all, and a { brace }', undefined],
  ['{{sumary}}', 'unknown variable {{sumary}}; did you mean "summary"?'],
  ['{{constructor}}', 'unknown variable {{constructor}}; expected one of cluster, site, node, kind, severity, at, summary, now, next, youCan, facts, incident, id'],
  ['{{}}', expect.stringMatching(/^unknown variable \{\{\}\}/)],
  ['{{summary', 'expected {{ and }} around the name of a variable; one of them is missing'],
  ['summary}}', 'expected {{ and }} around the name of a variable; one of them is missing'],
])('the template %j: %j', (template, problem) => expect(templateProblem(template)).toEqual(problem));
