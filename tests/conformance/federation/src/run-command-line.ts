import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { help } from './help.ts';
import { Kit, type Guest } from './kit.ts';
import { lineOf, reportOf, summaryOf, type Report } from './report.ts';
import { rulesNamed } from './rules/all-rules.ts';
import { runRules } from './run-rules.ts';
import { assignInvitations, readSites, writeSites } from './sites/sites-file.ts';
import type { Role } from './sites/roles.ts';
import { findTarget } from './target.ts';

export const exitCodes = { kept: 0, broken: 1, unknown: 2 } as const;

export interface Terminal {
  out: (text: string) => void;
  err: (text: string) => void;
}

const options = {
  url: { type: 'string' },
  'new-sites': { type: 'string' },
  sites: { type: 'string' },
  invitation: { type: 'string', multiple: true },
  only: { type: 'string', multiple: true },
  json: { type: 'string' },
  confirm: { type: 'string' },
  list: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

/** Everything but the process: returns the exit code. */
export async function runCommandLine(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  terminal: Terminal,
): Promise<number> {
  try {
    const { values } = parseArgs({ args: [...args], options });
    const rules = rulesNamed(values.only ?? []);
    if (values.help === true) return printed(terminal, help);
    if (values.list === true) return printed(terminal, rules.map(({ name, says }) => `${name}  ${says}\n`).join(''));
    if (values['new-sites'] !== undefined) return printed(terminal, newSites(values['new-sites']));
    const url = values.url ?? env['BOARDWIRE_CONFORMANCE_URL'];
    if (url === undefined || rules.length === 0)
      throw new Error(url === undefined ? 'which site? --url' : 'no such rule');
    const lines = values.invitation ?? (env['BOARDWIRE_CONFORMANCE_INVITATIONS'] ?? '').split(/\s+/).filter(Boolean);
    const guests = values.sites === undefined ? assignInvitations(lines) : readSites(values.sites);
    const confirmMs = confirmMsOf(values.confirm ?? '120');
    const quiet = values.json === '-' ? { ...terminal, out: terminal.err } : terminal;
    const report = await tried({ url, guests, confirmMs, rules, terminal: quiet });
    keep(report, values.json, terminal);
    return report.failed === 0 ? exitCodes.kept : exitCodes.broken;
  } catch (error) {
    terminal.err(`${error instanceof Error ? error.message : String(error)}\nSee --help.\n`);
    return exitCodes.unknown;
  }
}

function confirmMsOf(seconds: string): number {
  if (!/^\d{1,5}$/.test(seconds)) throw new Error(`--confirm ${seconds}: give a number of seconds`);
  return Number(seconds) * 1_000;
}

interface Trial {
  url: string;
  guests: ReadonlyMap<Role, Guest>;
  confirmMs: number;
  rules: ReturnType<typeof rulesNamed>;
  terminal: Terminal;
}

async function tried({ url, guests, confirmMs, rules, terminal }: Trial): Promise<Report> {
  const target = await findTarget(url);
  terminal.out(`${url} is ${target.site} (${target.document.name})\n\n`);
  const kit = new Kit({ target, guests, confirmMs, tell: (text) => terminal.err(`${text}\n`) });
  const verdicts = await runRules(rules, kit, (verdict) => terminal.out(lineOf(verdict)));
  const report = reportOf(verdicts, { url, site: target.site, codesSeen: kit.seen.codes });
  terminal.out(summaryOf(report));
  return report;
}

function newSites(path: string): string {
  const lines = writeSites(path).map(({ role, site, scopes }) => `${role}\t${site}\t${scopes.join(',')}\n`);
  return `${lines.join('')}`;
}

function keep(report: Report, path: string | undefined, { out }: Terminal): void {
  const text = `${JSON.stringify(report, undefined, 2)}\n`;
  if (path === '-') out(text);
  else if (path !== undefined) writeFileSync(path, text);
}

function printed({ out }: Terminal, text: string): number {
  out(text);
  return exitCodes.kept;
}
