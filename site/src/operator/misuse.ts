/** The command can't be run as it stands on the command line, or from here. */
export class Misuse extends Error {
  override readonly name = 'Misuse';
}
