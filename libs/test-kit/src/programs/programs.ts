import type { ProgramPackage } from './find-program.ts';

export const nginxPackage: ProgramPackage = {
  name: 'nginx',
  files: ['usr/sbin/nginx'],
  versionArgument: '-v',
  versionPattern: /nginx\/(\d+\.\d+\.\d+)/,
};

/** With promtool beside it. */
export const prometheusPackage: ProgramPackage = {
  name: 'prometheus',
  files: ['usr/bin/prometheus', 'usr/bin/promtool'],
  versionArgument: '--version',
  versionPattern: /version (\d+\.\d+\.\d+)/,
};
