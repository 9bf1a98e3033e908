import { roleNames, roles } from './sites/roles.ts';

const sites = roleNames.map(
  (role) => `  ${role.padEnd(8)} ${roles[role].scopes.join(', ').padEnd(20)} ${roles[role].says}`,
);

export const help = `Checks over the wire whether a site keeps to Boardwire Federation 1.

  npm run conformance:federation -- [options]

  --url URL          the site under test          (or BOARDWIRE_CONFORMANCE_URL)
  --new-sites FILE   makes the kit's sites, prints their ids, and ends
  --sites FILE       the kit's sites; each with its line under "invitation"
  --invitation LINE  an invitation that names no site; may be given several times
                     (or BOARDWIRE_CONFORMANCE_INVITATIONS, separated by blanks)
  --only NAME        only rules whose names begin so; may be given several times
  --json FILE        the report for machines; - for standard output
  --confirm SECONDS  how long to wait for the operator to confirm a site (120)
  --list             the rules, and ends
  --help

The site under test has to let the kit in. Its operator shares a board made for this, and invites each of these, with
exactly these scopes, into one room; by its id ("--new-sites"), or confirms its fingerprint when the kit waits for it:

${sites.join('\n')}

Rules that need a site without an invitation are not applicable. The sites say dozens of things on the board, some end
suspended or frozen, so every run needs new ones; remove them afterwards.

Ends with 0 when no rule failed, 1 when one did, 2 when nothing could be tried.
`;
