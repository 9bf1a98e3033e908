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

/** A SOCKS 5 server. It tells no version of its own, only that of what it speaks. */
export const microsocksPackage: ProgramPackage = {
  name: 'microsocks',
  files: ['usr/bin/microsocks'],
  versionArgument: '-h',
  versionPattern: /MicroSocks SOCKS(\d+) Server/,
};
