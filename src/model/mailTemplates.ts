/** Templates of people's own: `{{name}}` stands for a variable, and nothing else is understood, so that nothing can be done wrong with one. */
import { didYouMean } from './problems';

/** What a template may name, and what stands for it. */
export const templateVariables = ['cluster', 'site', 'node', 'kind', 'severity', 'at', 'summary', 'now', 'next', 'youCan', 'facts', 'incident', 'id'] as const;
export type TemplateVariable = (typeof templateVariables)[number];

const marks = /\{\{\s*([^{}]*?)\s*\}\}/g;

/** Why this is no template; every variable must be one that exists. */
export function templateProblem(template: string): string | undefined {
  if (/\{\{|\}\}/.test(template.replaceAll(marks, ''))) return 'expected {{ and }} around the name of a variable; one of them is missing';
  const unknown = [...template.matchAll(marks)].map(([, name]) => name!).find((name) => !(templateVariables as readonly string[]).includes(name));
  return unknown === undefined ? undefined : `unknown variable {{${unknown.slice(0, 40)}}}${didYouMean(unknown, templateVariables) || `; expected one of ${templateVariables.join(', ')}`}`;
}

/** The template with its variables filled in; what a value says is never looked at again. */
export const fill = (template: string, values: Record<TemplateVariable, string>): string => template.replaceAll(marks, (_, name: TemplateVariable) => values[name]);
