import { accessSync, constants } from 'node:fs';

const usualPlaces = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
  '/snap/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/**
 * The machine's Chromium: `BOARDWIRE_CHROMIUM`, or the first of the usual places. Without one the suites are skipped
 * and say so; with `BOARDWIRE_REQUIRE_BROWSER=1` that is a failure.
 */
export function findChromium(): string | undefined {
  const named = process.env['BOARDWIRE_CHROMIUM'];
  const places = named === undefined || named === '' ? usualPlaces : [named];
  const found = places.find(isExecutable);
  if (found !== undefined) return found;
  const reason = `no Chromium at ${places.join(', ')}; install one or name it in BOARDWIRE_CHROMIUM`;
  if (process.env['BOARDWIRE_REQUIRE_BROWSER'] === '1') throw new Error(`Browser suites are required: ${reason}`);
  process.stdout.write(`browser suites skipped: ${reason}\n`);
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
